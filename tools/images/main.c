/* main.c: cnnc-images, which turns a folder of class folders of PNG and JPEG files into arrays that cnnc train takes. */
#define _XOPEN_SOURCE 700 /* SIGXFSZ */
#include "images.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { EXIT_FINE, EXIT_WRONG, EXIT_USAGE, EXIT_FILE }; /* as cnnc's */

static const char help[] =
    "usage: cnnc-images DIR [options]\n"
    "\n"
    "Turns DIR/CLASS/NAME.png, .jpg and .jpeg into arrays that cnnc train takes:\n"
    "  X.npy        the images, u8 [n][height][width][channels]\n"
    "  Y.npy        the classes, i32 [n]\n"
    "  classes.txt  the classes' names, one a line, in byte order: the first one is 0\n"
    "Examples come by class, then by name. Then: cnnc train NET --data X.npy,Y.npy\n"
    "\n"
    "  -o PREFIX         the outputs' names begin with it: data/ or flowers_ (a folder that is there needs no '/')\n"
    "  --size=HxW        resizes to height H, width W (--size=N: NxN), whatever the image's proportions: bilinear,\n"
    "                    antialiased where it shrinks; without it all images must have the same size\n"
    "  --grayscale       one channel: 0.299 R + 0.587 G + 0.114 B\n"
    "  --rgb             three channels; with neither all images must be gray or all RGB\n"
    "  --split=FRACTION  this part of each class, drawn from the seed, goes to X_test.npy and Y_test.npy\n"
    "  --shuffle         examples in an order drawn from the seed; fit's validation_split takes the last ones\n"
    "  --seed=N          another draw (0)\n"
    "  --help, --version\n"
    "\n"
    "Alpha is laid over black, 16 bits become 8, palettes RGB. Colour profiles, gamma and EXIF's orientation are not applied;\n"
    "CMYK is refused. What a file is, its first bytes say. Names that begin with a dot are not looked at. Exit status: 0 fine,\n"
    "1 wrong images, 2 wrong usage, 3 a file cannot be read or written, or memory falls short; then nothing is written.\n";

typedef struct Arguments {
    const char *folder, *prefix;
    char in_folder[4096]; /* the prefix, if it is a folder without its '/' */
    ConvertOptions convert;
} Arguments;

static void say(const char *message) {
    fprintf(stderr, "cnnc-images: error: %s\n", message);
}

static int fail(const cnnc_error *error) {
    if (error->text[0]) say(error->text);
    return error->system ? EXIT_FILE : EXIT_WRONG;
}

/* A number of digits only, from least to most; moves *s behind it. */
static bool read_number(const char **s, uint64_t least, uint64_t most, uint64_t *number) {
    if (!isdigit((unsigned char)**s)) return false;
    char *end;
    errno = 0;
    *number = strtoull(*s, &end, 10);
    *s = end;
    return !errno && *number >= least && *number <= most;
}

static bool read_size(const char *s, ConvertOptions *options) {
    uint64_t height, width;
    if (!read_number(&s, 1, MAX_SIZE, &height)) return false;
    width = height;
    if (*s == 'x') {
        s++;
        if (!read_number(&s, 1, MAX_SIZE, &width)) return false;
    }
    options->height = (int)height;
    options->width = (int)width;
    return !*s;
}

static bool read_split(const char *s, double *split) {
    char *end;
    *split = strtod(s, &end);
    return end != s && !*end && *split > 0 && *split < 1;
}

static bool wrong_value(const char *option, const char *what, const char *value) {
    fprintf(stderr, "cnnc-images: error: %s must be %s, not '%s'\n", option, what, value);
    return false;
}

static bool set_channels(ConvertOptions *options, int channels) {
    if (options->channels && options->channels != channels) return fputs("cnnc-images: error: --grayscale and --rgb exclude each other\n", stderr), false;
    options->channels = channels;
    return true;
}

/* False after a message. */
static bool read_option(int option, Arguments *arguments) {
    ConvertOptions *o = &arguments->convert;
    switch (option) {
    case 'o': arguments->prefix = optarg; return true;
    case 's': return read_size(optarg, o) || wrong_value("--size", "HxW, each from 1 to 8192", optarg);
    case 'g': return set_channels(o, 1);
    case 'c': return set_channels(o, 3);
    case 'p': return read_split(optarg, &o->split) || wrong_value("--split", "a number between 0 and 1", optarg);
    case 'u': o->shuffle = true; return true;
    case 'e': {
        const char *s = optarg;
        return (read_number(&s, 0, UINT64_MAX, &o->seed) && !*s) || wrong_value("--seed", "a whole number", optarg);
    }
    default: return false;
    }
}

/* What getopt did not take: `option` is '?' or ':', the latter without its value. */
static int wrong_option(int option, const char *written) {
    fprintf(stderr, option == ':' ? "cnnc-images: error: %s needs a value\n" : "cnnc-images: error: there is no option '%s'\n", written);
    fputs("hint: cnnc-images --help lists the options\n", stderr);
    return EXIT_USAGE;
}

/* A folder that is there is where the outputs go, as with other programs' -o. */
static void find_folder(Arguments *arguments) {
    const char *prefix = arguments->prefix;
    size_t length = strlen(prefix);
    struct stat status;
    if (!length || prefix[length - 1] == '/' || length + 2 > sizeof arguments->in_folder || stat(prefix, &status) || !S_ISDIR(status.st_mode)) return;
    snprintf(arguments->in_folder, sizeof arguments->in_folder, "%s/", prefix);
    arguments->prefix = arguments->in_folder;
}

/* Returns an exit status, or -1 to go on. */
static int read_arguments(int argc, char **argv, Arguments *arguments) {
    static const struct option options[] = {
        {"size", required_argument, NULL, 's'}, {"grayscale", no_argument, NULL, 'g'}, {"rgb", no_argument, NULL, 'c'},
        {"split", required_argument, NULL, 'p'}, {"shuffle", no_argument, NULL, 'u'}, {"seed", required_argument, NULL, 'e'},
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0},
    };
    for (int i = 1; i < argc; i++)
        if (has_control_characters(argv[i])) return fprintf(stderr, "cnnc-images: error: argument %d has a control character in it\n", i), EXIT_USAGE;
    for (int option; (option = getopt_long(argc, argv, ":o:h", options, NULL)) != -1;) {
        if (option == '?' || option == ':') return wrong_option(option, argv[optind - 1]);
        if (option == 'h') return fputs(help, stdout), EXIT_FINE;
        if (option == 'v') return puts("cnnc-images " CNNC_IMAGES_VERSION), EXIT_FINE;
        if (!read_option(option, arguments)) return EXIT_USAGE;
    }
    if (argc - optind != 1) {
        fprintf(stderr, "cnnc-images: error: %s\nhint: cnnc-images --help tells how it is used\n", optind < argc ? "more than one folder" : "no folder is given");
        return EXIT_USAGE;
    }
    arguments->folder = argv[optind];
    find_folder(arguments);
    return -1;
}

/* What is good to know, though it may be meant: to standard error. */
static void warn(const Folder *folder) {
    int *images = calloc((size_t)folder->class_count + 1, sizeof *images);
    for (size_t i = 0; images && i < folder->count; i++) images[folder->files[i].class]++;
    for (int i = 0; images && i < folder->class_count; i++)
        if (!images[i]) fprintf(stderr, "cnnc-images: warning: class '%s' has no images\n", folder->classes[i]);
    free(images);
    if (folder->ignored) fprintf(stderr, "cnnc-images: warning: ignored %zu names that are neither class folders nor .png, .jpg or .jpeg in one\n", folder->ignored);
}

static void print_outputs(const Arguments *arguments, const Folder *folder, const Part parts[2]) {
    for (int i = 0; i < 2; i++) {
        const size_t *shape = parts[i].x.shape;
        if (shape[0])
            printf("%s%s, %s%s: %zu images of %zux%zux%zu (height x width x channels)\n", arguments->prefix, output_names[i ? 3 : 0], arguments->prefix,
                   output_names[i ? 4 : 1], shape[0], shape[1], shape[2], shape[3]);
    }
    printf("%s%s: %d classes\n", arguments->prefix, output_names[2], folder->class_count);
}

static int run(const Arguments *arguments) {
    Folder folder;
    Part parts[2];
    cnnc_error error = {0};
    if (outputs_check(arguments->prefix, arguments->convert.split > 0 ? OUTPUTS : OUTPUTS - 2, &error) != CNNC_OK) return fail(&error);
    if (folder_walk(arguments->folder, &folder, &error) != CNNC_OK) return fail(&error);
    warn(&folder);
    int status = EXIT_FINE;
    if (folder_convert(&folder, &arguments->convert, say, parts, &error) != CNNC_OK) status = fail(&error);
    else {
        if (outputs_write(arguments->prefix, &folder, parts, &error) != CNNC_OK) status = fail(&error);
        else print_outputs(arguments, &folder, parts);
        parts_free(parts);
    }
    folder_free(&folder);
    return status;
}

int main(int argc, char **argv) {
    Arguments arguments = {.prefix = ""};
    signal(SIGXFSZ, SIG_IGN); /* a file beyond the shell's limit is an error of write */
    int status = read_arguments(argc, argv, &arguments);
    if (status < 0) status = run(&arguments);
    if (!fflush(stdout) && !ferror(stdout)) return status;
    say("cannot write to standard output");
    return status == EXIT_FINE ? EXIT_FILE : status;
}
