/* loader.h: between data files and datasets: what a format of data files is, and the arrays that come out of files.
 *
 * A new format is a file with a cnnc_format in it, and a line in loader.c's table.
 */
#ifndef CNNC_LOADER_H
#define CNNC_LOADER_H

#include "private.h"

enum {
    CNNC_MAX_PARTS = 64,      /* arrays of a dataset: its inputs and targets */
    CNNC_DEFLATE_RATIO = 1032 /* deflate makes at most so many bytes of one */
};

/* Where examples come from, for messages: example i of them is at first + i * step. */
typedef struct cnnc_origin {
    const char *path, *member; /* the file; and the file in that, or NULL: until it is added */
    enum { CNNC_AT_BYTE, CNNC_AT_INFLATED_BYTE, CNNC_AT_LINE } unit;
    size_t first, step;
    size_t examples;
    char *name; /* of path and member, owned */
} cnnc_origin;

/* An array, and the files that its examples come from, in their order. */
typedef struct cnnc_part {
    cnnc_array array;
    cnnc_origin *origins;
    int origin_count;
} cnnc_part;

/* Arrays that were read: inputs, then targets. */
typedef struct cnnc_parts {
    int count;
    cnnc_part parts[CNNC_MAX_PARTS];
} cnnc_parts;

/* What a file is asked for. */
typedef struct cnnc_request {
    const cnnc_network *network; /* NULL: any */
    const char *split;           /* "train" or "test" */
    int inputs, targets;         /* arrays that the network takes; files without targets are fine */
    int single;                  /* the file is one array of a list of several files: one input, no target */
    const char *columns;         /* of a CSV file: what stands behind its name, "label" of "data.csv:label"; else NULL */
} cnnc_request;

typedef struct cnnc_file {
    const char *path;
    const unsigned char *bytes;
    size_t size;
} cnnc_file;

typedef struct cnnc_format {
    int (*recognise)(const cnnc_file *file); /* by first bytes or name: non-zero */
    int (*read)(const cnnc_file *file, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error); /* adds arrays */
    int (*has_test)(const cnnc_file *file, int *has, cnnc_error *error); /* whether a file has the split "test" beside others; NULL: never */
} cnnc_format;

extern const cnnc_format cnnc_format_npy, cnnc_format_npz, cnnc_format_idx, cnnc_format_cifar10, cnnc_format_cifar100, cnnc_format_csv;

size_t cnnc_example_bytes(const cnnc_array *array); /* of one example; 0 when there is none */

/* CIFAR's files, known by their names; each ends in another zero. */
#define CNNC_CIFAR10_TRAIN "data_batch_1.bin\0", "data_batch_2.bin\0", "data_batch_3.bin\0", "data_batch_4.bin\0", "data_batch_5.bin\0"
#define CNNC_CIFAR10_TEST "test_batch.bin\0"
#define CNNC_CIFAR100_TRAIN "train.bin\0"
#define CNNC_CIFAR100_TEST "test.bin\0"

/* Moves an array (its data too, also on failure) to the end of the parts; sets the origin's examples and name. */
int cnnc_parts_add(cnnc_parts *parts, cnnc_array *array, cnnc_origin origin, cnnc_error *error);
void cnnc_parts_free(cnnc_parts *parts); /* and makes them zero */

/* The file's name and the place in it of an example, "y.npy: at byte 130", "data.csv:7", to text[size]. */
void cnnc_part_place(const cnnc_part *part, size_t example, char *text, size_t size);

/* Whether the last part of a path is the name; whether it has that ending. */
int cnnc_path_is(const char *path, const char *name);
int cnnc_path_ends(const char *path, const char *ending);

/* Fails when the network takes more than one input and one target; holds: "a folder has images and labels". */
int cnnc_request_pair(const cnnc_request *request, const char *path, const char *holds, cnnc_error *error);

/* Reads what `where` names, as cnnc_dataset_load has it: a folder, a file, a list of files. */
int cnnc_load(const cnnc_network *network, const char *where, const char *split, cnnc_parts *parts, cnnc_error *error);

/* folder.c: a folder that holds data under customary names. */
int cnnc_folder_load(const char *folder, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error);
int cnnc_folder_has_test(const char *folder, int *has, cnnc_error *error); /* examples of its own for the split "test" */

/* Reads one file, whatever its format. */
int cnnc_load_file(const char *path, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error);

int cnnc_file_has_test(const char *path, int *has, cnnc_error *error); /* examples of its own for the split "test" */

/* Reads one file and puts its examples behind those in parts, array by array, of the same types and shapes. */
int cnnc_load_more(const char *path, const cnnc_request *request, cnnc_parts *parts, cnnc_error *error);

#endif
