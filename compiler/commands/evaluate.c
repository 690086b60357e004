#include "commands.h"
int command_evaluate(int argc, char **argv) { (void)argc, (void)argv; return EXIT_USAGE; }
