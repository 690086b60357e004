#include "commands.h"
int command_summary(int argc, char **argv) { (void)argc, (void)argv; return EXIT_USAGE; }
