#include "commands.h"
int command_train(int argc, char **argv) { (void)argc, (void)argv; return EXIT_USAGE; }
