/* commands.h: the commands, and what they share. */
#ifndef COMMANDS_H
#define COMMANDS_H
#include "../cnnc.h"
#include "cnnc_runtime.h"

typedef int Command(int argc, char **argv); /* argv[0]: the command's word. Returns an exit status. */
Command command_compile, command_summary, command_train, command_evaluate, command_predict, command_check, command_bench, command_tune, command_fmt, command_new, command_import, command_export, command_man,
    command_completion, command_help;
typedef struct CommandDef { const char *name; Command *run; const char *usage, *doc; } CommandDef; /* usage tells completion what arguments are: NET.net, COMMAND ... */
extern const CommandDef commands[]; /* ended by a NULL name; the first is what runs without a command's word */

/* ---- options.c: the command line ------------------------------------------------------------------------------------
 * A table of options; values as --name=value or --name value, -o value. */
typedef struct Option {
    const char *name;          /* "--threads", "-o" */
    const char **text;         /* takes a value, kept here */
    bool *flag;                /* or takes none, and sets this */
    int *number; int min, max; /* or takes an integer in this range */
    const char *value, *doc;   /* "N", "worker threads" */
} Option;
typedef struct CommandLine { const char *command; const Option *options; int option_count; const char *const *positional_names; const char **positional; int positional_max; } CommandLine;
/* False after a message about wrong usage on standard error. --help prints the command's page and exits with 0. */
bool parse_options(int argc, char **argv, const CommandLine *);
/* The same where only the first `least` arguments have to be there; those that are not stay as they are. */
bool parse_some_options(int argc, char **argv, const CommandLine *, int least);
/* Shows a command's table of options to `see`. The command gets no further: every command parses its options first. */
typedef void OptionVisitor(void *context, const CommandLine *);
void visit_options(const CommandDef *, OptionVisitor *see, void *context);
/* Options that every command with a network takes. */
typedef struct NetworkOptions { const char *target, *algorithm, *tuning, *templates, *color, *format; int shard_size; } NetworkOptions;
#define NETWORK_OPTIONS(n)                                                                                             \
    {"--target", &(n).target, NULL, NULL, 0, 0, "LIST", "auto (all that pay off), or avx512, avx2, vec16, scalar, separated by commas"}, \
    {"--algorithm", &(n).algorithm, NULL, NULL, 0, 0, "NAME", "one algorithm wherever it applies: winograd, winograd_rows (a single example), sparse_pool, packed, depthwise, direct or plain (the cheapest)"},      \
    {"--tuning", &(n).tuning, NULL, NULL, 0, 0, "FILE", "algorithms that 'cnnc tune' found to be the fastest"}, \
    {"--shard-size", NULL, NULL, &(n).shard_size, 1, 1 << 16, "N", "examples that a worker takes at a time (32; in training 8, 16 or 32, by the batch and the work)"},      \
    {"--templates", &(n).templates, NULL, NULL, 0, 0, "DIR", "templates that replace the built-in ones"},               \
    MESSAGE_OPTIONS(n)
#define MESSAGE_OPTIONS(n)                                                                                             \
    {"--color", &(n).color, NULL, NULL, 0, 0, "WHEN", "auto, always or never"},                                        \
    {"--diagnostics-format", &(n).format, NULL, NULL, 0, 0, "FORMAT", "of what is said on standard error: text, or json, one object a line"}
/* Says that there is no such thing, with the nearest name as a hint, or `otherwise`. False. */
bool no_such(const char *what, const char *word, const char *const *names, int n, const char *otherwise);
/* Applies them. False after a message. */
bool apply_network_options(Compilation *, const NetworkOptions *);
void print_diagnostics(Compilation *);
bool has_controls(const char *); /* characters that move a terminal's cursor, end a line ... */
int status_of(const cnnc_error *); /* the exit status after a failure of the runtime */

/* ---- help.c: the tables of operators that have pages ------------------------------------------------------------------ */
typedef struct FamilyDef { const char *title, *one; Family *family; } FamilyDef; /* "layers", "layer" */
extern const FamilyDef families[]; /* ended by a NULL title */
const char *attribute_kind(Arena *, const AttrDef *); /* what it may be, in words */
void print_reference(void); /* reference.c: all of them, in Markdown */

/* ---- tables.c: commands as records for templates ----------------------------------------------------------------------
 * A command has name, usage, doc, nets (whether its arguments are networks), words (what else they can be), option_words and options;
 * an option has name, dashes (how many), dashless, length, value, doc, words and kind (flag, words, text, folder, file).
 * Texts for people go through `escape`, which copies. */
typedef const char *Escape(Arena *, const char *);
Bindings *command_record(Arena *, const CommandDef *, Escape *);
Bindings **command_records(Arena *, Escape *, int *n);
const char *command_words(Arena *); /* "summary train ..." */
const char *escape_with(Arena *, const char *s, const char *special, const char *format); /* format: of one character */
char *expand_page(Arena *, const char *template, const Bindings *);
int write_page(Arena *, const char *path, const char *text); /* NULL: standard output. An exit status, after a message */

/* ---- depfile.c: a rule for Make and Ninja ---- made: what stands before the colon; tuning may be NULL. A message, where a name
 * cannot stand in a rule. */
const char *depfile_text(Compilation *, const char *made, const char *net, const char *tuning, const char **text);
const char *depfile_targets(Arena *, const char *out, const char *header); /* NULL: these names cannot */

/* ---- load.c: a network as code in this process -----------------------------------------------------------------------
 * Compiles with the C compiler that CC names (cc without it) into a cache that is safe to delete, and loads the result.
 * NULL after a message on standard error; *status: an exit status. */
typedef struct Loaded { void *library; const cnnc_network *network; } Loaded;
const cnnc_network *load_network(Compilation *, const char *path, Loaded *, int *status);
void unload_network(Loaded *);
bool is_update(const cnnc_phase *); /* of training: it works on the gradient, which those before it have made */

/* ---- outputs.c ----------------------------------------------------------------------------------------------------------
 * What a command is going to write. path NULL: nothing. */
typedef struct Output { const char *what, *path; bool folder; } Output; /* "the weights"; folder: that is made where it is missing */
bool outputs_writable(Arena *, const Output *, int n);                                       /* false after a message */
bool outputs_apart(const Output *, int n, const char *const *inputs, int input_count);       /* from each other and from inputs: likewise */
const char **data_files(Arena *, const char *list, const char **files, int *n); /* appends those of --data's list, without columns; NULL: none */

/* ---- tool.c: what another program does ---- does not return where there is one of that name; else an exit status, after a message */
int run_tool(const char *name, char **argv, const char *otherwise);
/* What cnnc and those programs begin with. False: it is done, with this exit status. */
bool begin_program(const char *name, int argc, char **argv, int *status);

/* ---- export.c: what cnnc export and cnnc-export (tools/export) take; false after a message, or the options' visitor ---- */
typedef enum { EXPORT_ONNX, EXPORT_KERAS } ExportFormat;
typedef struct ExportOptions { const char *net, *weights, *out; } ExportOptions;
bool export_options(int argc, char **argv, Compilation *, ExportOptions *);
ExportFormat export_format(const char *path);

/* ---- import.c: what cnnc import and cnnc-import (tools/import) take; false after a message, or the options' visitor ---- */
typedef struct ImportOptions { const char *path, *net, *weights; bool no_compile; } ImportOptions;
bool import_options(int argc, char **argv, ImportOptions *);

/* ---- fmt.c: a description as cnnc fmt has it; comments and blank lines come from its source ---- */
void format_description(Arena *, const Description *, StrBuf *);

/* ---- evaluate.c ---- */
void print_test(const cnnc_network *, const double *results); /* loss and metrics of test data */

/* ---- confusion.c: how many of each class were taken for which, as a table ---- path: for the same as CSV; NULL: none. An exit status. */
int print_confusion(Arena *, cnnc_model *, const cnnc_dataset *test, const char *path, cnnc_error *);

/* ---- partial.c: weights by name ---- says which layers it loaded and which not; a result of the runtime's */
int load_partly(cnnc_model *, const char *path, cnnc_error *);


#endif
