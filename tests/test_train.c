/* cnnc train as a command: what its options do and refuse, what is written and what is not. */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include "cnnc_runtime.h"
#include "commands/commands.h"

enum { N = 50 };

static const char *const net = "network %s\ninput 4\ndense 6 activation=%s\ndense 3 activation=softmax\n"
                               "compile optimizer=sgd(learning_rate=%s) loss=categorical_crossentropy metrics=accuracy\nfit epochs=3 batch_size=8\n";

static void write_text(const char *name, const char *content) {
    FILE *out = fopen(text("%s/%s", folder, name), "wb");
    assert_non_null(out);
    fputs(content, out);
    assert_int_equal(fclose(out), 0);
}

static void write_array(const char *name, cnnc_dtype dtype, int rank, int columns, void *data) {
    cnnc_array array = {dtype, rank, {N, (size_t)columns}, (size_t)N * (size_t)columns, data};
    assert_int_equal(cnnc_npy_write(text("%s/%s", folder, name), &array, NULL), CNNC_OK);
}

static int make_files(void **state) {
    static float xs[N * 4];
    static int32_t ys[N];
    if (make_folder(state)) return -1;
    for (int i = 0; i < N * 4; i++) xs[i] = (float)(i * 37 % 101) / 101 - 0.5f;
    for (int i = 0; i < N; i++) ys[i] = xs[4 * i] > 0 ? xs[4 * i + 1] > 0 : 2;
    write_array("X.npy", CNNC_DTYPE_F32, 2, 4, xs);
    write_array("Y.npy", CNNC_DTYPE_I32, 1, 1, ys);
    write_text("a.net", text(net, "a", "relu", "0.05"));
    return 0;
}

/* Runs cnnc in the folder; what it says, on both streams. */
static char *run(const char *arguments, int status) {
    char *command = text("cd %s && " CNNC_COMMAND " %s >said 2>&1", folder, arguments);
    int result = system(command), exited = WIFEXITED(result) ? WEXITSTATUS(result) : -1;
    char *said = file_text(text("%s/said", folder), NULL);
    if (exited != status) fail_msg("exit status %d, not %d: %s\n%s", exited, status, command, said);
    return said;
}

static char *train(const char *arguments, int status) { return run(text("train %s --data X.npy,Y.npy", arguments), status); }

static void says(const char *said, const char *part) {
    if (!strstr(said, part)) fail_msg("'%s' is not in:\n%s", part, said);
}

/* Data find the weights of examples by the name that the network has for them. */
static void weights_of_examples_have_their_name(void **state) {
    (void)state;
    write_text("weighted.net", "network weighted\ninput 4\ndense 3\nsoftmax\ncompile loss=sparse_categorical_crossentropy\nfit sample_weight=true\n");
    run("weighted.net -o weighted.c", 0);
    const char *code = file_text(text("%s/weighted.c", folder), NULL);
    says(code, "{\"target\", CNNC_I32");
    says(code, "{\"sample_weight\", CNNC_F32");
}

static bool there(const char *name) { return !access(text("%s/%s", folder, name), F_OK); }

static void a_dry_run_writes_nothing(void **state) {
    (void)state;
    const char *said = train("a.net --dry-run --validation-split=0.2 --checkpoint=c --save-best=b --csv-log=l --tensorboard=t -o w", 0);
    says(said, "Would write the weights to w\nWould write a checkpoint to c\nWould write the best weights to b\nWould write a log to l\nWould write event files to t\n");
    says(said, "40 examples, 10 to validate, ");
    says(said, "Forecast: 15 updates in about ");
    says(said, " KB of memory: network ");
    says(said, "Total params: 51");
    assert_false(there("w") || there("c") || there("b") || there("l") || there("t") || there("a.safetensors"));
    says(train("a.net --dry-run --checkpoint=none --resume", 3), "cnnc: error: none: No such file or directory\nhint: without --resume a training begins, and makes it\n");
    write_text("board", "a file");
    says(train("a.net --dry-run -o board/w", 3), "the weights cannot be written to board/w: Not a directory");
    says(train("a.net --dry-run --checkpoint=board/k", 3), "a checkpoint cannot be written to board/k: Not a directory");
    says(train("a.net --dry-run --save-best=.", 3), "the best weights cannot be written to .: Is a directory");
    says(train("a.net --dry-run -o ''", 2), "-o needs a value that is not empty");
    says(train("a.net --dry-run --tensorboard=board/run", 3), "event files cannot be written to board/run: Not a directory");
    says(train("a.net --dry-run -o nowhere/w", 3), "the weights cannot be written to nowhere/w");
}

/* Nothing is written over what is read or written besides. */
static void outputs_are_apart(void **state) {
    (void)state;
    write_text("t.csv", "a,b,c,d,label\n1,2,3,4,0\n4,3,2,1,2\n");
    says(train("a.net --dry-run -o k --checkpoint=./k", 2), "a checkpoint, './k', would be written over the weights, 'k'");
    says(train("a.net --dry-run -o k.previous --checkpoint=k", 2), "the checkpoint before, 'k.previous', would be written over the weights, 'k.previous'");
    says(train("a.net --dry-run -o Y.npy", 2), "the weights, 'Y.npy', would be written over what is read, 'Y.npy'");
    says(train("a.net --dry-run --csv-log=a.net", 2), "a log, 'a.net', would be written over what is read, 'a.net'");
    says(run("train a.net --data t.csv:label --csv-log=t.csv", 2), "a log, 't.csv', would be written over what is read, 't.csv'");
    says(train("a.net --validation-data t.csv:label --csv-log=t.csv", 2), "a log, 't.csv', would be written over what is read, 't.csv'");
    says(train("- --checkpoint=a.safetensors <a.net", 2), "a checkpoint, 'a.safetensors', would be written over the weights, 'a.safetensors'");
    assert_string_equal(file_text(text("%s/t.csv", folder), NULL), "a,b,c,d,label\n1,2,3,4,0\n4,3,2,1,2\n");
}

/* A signal that reaches the C compiler, too. */
static void a_signal_while_compiling(void **state) {
    (void)state;
    write_text("cc", "#!/bin/sh\nkill -INT $PPID\nkill -KILL $$\n");
    assert_int_equal(chmod(text("%s/cc", folder), 0755), 0);
    char *command = text("cd %s && CC=./cc XDG_CACHE_HOME=%s/other " CNNC_COMMAND " train a.net --data X.npy,Y.npy >said 2>&1", folder, folder);
    int status = system(command);
    says(file_text(text("%s/said", folder), NULL), "the C compiler './cc' was stopped: Killed");
    assert_int_equal(WEXITSTATUS(status), 128 + SIGINT);
}

static void the_compilers_level_may_be_given(void **state) {
    (void)state;
    static const char *const levels[][2] = {{"", " -O2 "}, {" -O3", " -O3 "}, {" -g -O0", " -O0 "}};
    write_text("cc", "#!/bin/sh\necho \"$*\" >words\nexit 1\n");
    assert_int_equal(chmod(text("%s/cc", folder), 0755), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_not_equal(system(text("cd %s && CC='./cc%s' XDG_CACHE_HOME=%s/other " CNNC_COMMAND " train a.net --data X.npy,Y.npy >said 2>&1", folder, levels[i][0], folder)), 0);
        const char *words = file_text(text("%s/words", folder), NULL);
        says(words, levels[i][1]);
        for (int k = 0; k < 3; k++)
            if (k != i) assert_null(strstr(words, levels[k][1]));
    }
}

/* The same examples set apart by the description, by an option. */
static void validation(void **state) {
    (void)state;
    char *description = text(net, "a", "relu", "0.05");
    write_text("v.net", text("%.*s validation_split=0.2\n", (int)strlen(description) - 1, description));
    train("v.net -o w1 --csv-log=l1", 0);
    train("a.net -o w2 --csv-log=l2 --validation-split 0.2", 0);
    train("v.net -o w3 --csv-log=l3 --validation-data=X.npy,Y.npy", 0);
    assert_same_files(text("%s/w1", folder), text("%s/w2", folder));
    assert_same_files(text("%s/l1", folder), text("%s/l2", folder));
    says(file_text(text("%s/l3", folder), NULL), "epoch,accuracy,loss,val_accuracy,val_loss\r\n");
    assert_string_not_equal(file_text(text("%s/l3", folder), NULL), file_text(text("%s/l1", folder), NULL)); /* trained on all */
    says(train("a.net --validation-split=0.2 --validation-data=X.npy,Y.npy", 2), "exclude each other");
    says(train("a.net --validation-split=1", 2), "--validation-split must be a number from 0 to below 1, not '1'");
}

static void callbacks(void **state) {
    (void)state;
    const char *said = train("a.net -o w --epochs=9 --early-stopping=patience=1,min_delta=100,restore_best_weights=true --save-best=b --reduce-lr=9 --monitor=loss", 0);
    says(said, "Epoch 2: early stopping\nRestoring model weights from the end of the best epoch: 1.\n");
    says(said, " - learning_rate: 0.0500\n");
    assert_null(strstr(said, "Epoch 3/9"));
    assert_true(there("b"));
    static const char unvalidated[] = "--early-stopping monitors val_loss, a result of validation data, and there is none\n"
                                      "hint: --validation-split=0.1 sets examples apart, --validation-data names others, --monitor=loss does without\n";
    said = train("a.net --early-stopping=3", 1);
    says(said, unvalidated);
    assert_null(strstr(said, "examples,")); /* said before the data are loaded */
    says(train("a.net --early-stopping=3 --validation-split=0", 1), unvalidated);
    says(train("v.net --early-stopping=3 --validation-split=0", 1), unvalidated); /* though the description sets some apart */
    train("a.net --early-stopping=3 --validation-split=0.2 --dry-run", 0);
    train("a.net --early-stopping=3 --validation-data=X.npy,Y.npy --dry-run", 0);
    says(train("a.net --early-stopping=3 --monitor=acc", 1),
         "--early-stopping: there is no result 'acc' to monitor, network a has loss, val_loss, accuracy, val_accuracy\nhint: did you mean 'accuracy'?\n");
    said = run("train a.net --reduce-lr=3,monitor=val_los --data nowhere.npz", 1);
    says(said, "--reduce-lr: there is no result 'val_los' to monitor, network a has loss, val_loss, accuracy, val_accuracy\nhint: did you mean 'val_loss'?\n");
    says(train("a.net --save-best=b --monitor=mae", 1), "hint: 'metrics=' of the compile statement adds results\n");
    says(train("a.net --weights save_best", 3), "cnnc: error: save_best: No such file");
    says(train("a.net --monitor=loss", 2), "--monitor without --early-stopping, --reduce-lr or --save-best\nhint: it tells them what to watch\n");
    says(train("a.net --early-stopping=patienc=3", 2), "--early-stopping has no 'patienc'\nhint: did you mean 'patience'?");
    says(train("a.net --early-stopping=patience=3.5", 2), "--early-stopping: patience cannot be '3.5'");
    says(train("a.net --reduce-lr=2,3", 2), "--reduce-lr: '3' is not NAME=VALUE");
    says(train("a.net --reduce-lr=mode=up", 2), "--reduce-lr: mode cannot be 'up'");
    says(train("a.net --reduce-lr=factor=2 --monitor=loss", 1), "a factor of 2");
}

static void other_networks_are_refused(void **state) {
    (void)state;
    train("a.net -o w --checkpoint=k", 0);
    write_text("b.net", text(net, "a", "tanh", "0.05"));
    says(train("b.net -o w --checkpoint=k --resume", 1), "k: of another training: 'dense' was activation=relu, now it is activation=tanh");
    write_text("b.net", text(net, "a", "relu", "0.01"));
    says(train("b.net -o w --checkpoint=k --resume", 1), "'optimizer' was learning_rate=0.05, now it is learning_rate=0.01");
    says(train("a.net -o w --checkpoint=k --resume --shard-size=4", 1), "'code' was shard_size=8, now it is shard_size=4");
    says(train("a.net -o w --checkpoint=k --resume --batch-size=32", 1), "was made with batch size 8, now it is 32"); /* of which shards are others */
    says(train("a.net -o w --checkpoint=k --resume --algorithm=plain", 1), "'code of dense_out' was direct, now it is plain");
    says(train("a.net -o w --checkpoint=k --resume --epochs=4", 0), "Resumed after 21 updates\nEpoch 4/4\n");
}

/* In the words of the command line, with what to do. */
static void other_callbacks_are_refused(void **state) {
    (void)state;
    static const char then[] = "\nhint: --resume goes on with the description, data and options of then; without it another training begins\n";
    train("a.net -o w --checkpoint=k --monitor=loss --early-stopping=2 --reduce-lr=2 --save-best=b", 0);
    says(train("a.net -o w --checkpoint=k --resume --monitor=loss --early-stopping=3 --reduce-lr=2 --save-best=b", 1),
         text("cnnc: error: k: of another training: '--early-stopping' was patience=2, now it is patience=3%s", then));
    says(train("a.net -o w --checkpoint=k --resume --monitor=loss --early-stopping=2 --reduce-lr=3 --save-best=b", 1), "'--reduce-lr' was patience=2, now it is patience=3\nhint: ");
    says(train("a.net -o w --checkpoint=k --resume --monitor=loss --early-stopping=2 --reduce-lr=2", 1), "there is no '--save-best: monitor=loss mode=min");
    says(train("a.net -o w --checkpoint=k --resume --monitor=loss --early-stopping=2 --reduce-lr=2 --save-best=b --batch-size=4", 1), text("k: was made with batch size 8, now it is 4%s", then));
    says(train("a.net --monitor=loss --reduce-lr=factor=2", 1), "cnnc: error: --reduce-lr: a factor of 2, not between 0 and 1\n");
}

/* A training that stopped early stays so, with more epochs too, and says so; its weights are where another one begins. */
static void an_early_stop_stays(void **state) {
    (void)state;
    static const char options[] = "--monitor=loss --early-stopping=patience=1,min_delta=100 --checkpoint=k";
    const char *said = train(text("a.net -o w1 --epochs=9 %s", options), 0);
    says(said, "Epoch 2: early stopping\n");
    assert_null(strstr(said, "It had stopped early"));
    says(train(text("a.net -o w2 --epochs=20 --resume %s", options), 0),
         "Resumed after 14 updates: no epoch is left\n"
         "It had stopped early, at epoch 2: this training is complete\n"
         "Epoch 2: early stopping\n");
    assert_same_files(text("%s/w1", folder), text("%s/w2", folder));
    says(run("evaluate a.net --data X.npy,Y.npy --weights w2", 0), strstr(run("evaluate a.net --data X.npy,Y.npy --weights k", 0), "Test loss: ")); /* a checkpoint has weights, too */
    train("a.net -o w3 --weights k --epochs=1", 0);
    train("a.net -o w4 --weights w2 --epochs=1", 0);
    assert_same_files(text("%s/w3", folder), text("%s/w4", folder));
    train("a.net -o w3 --weights w2 --epochs=1 --checkpoint=k", 0);
    train("a.net -o w1 --epochs=1 --monitor=loss --early-stopping=5 --checkpoint=k", 0);
    assert_null(strstr(train("a.net -o w1 --epochs=2 --monitor=loss --early-stopping=5 --checkpoint=k --resume", 0), "It had stopped early"));
}

/* Moving averages are weights: saved, kept in checkpoints, the same bits after a stop; batches may be larger than the description's. */
static void moving_averages(void **state) {
    (void)state;
    cnnc_safetensors file;
    write_text("m.net", "network m\ninput 4\nbatch_normalization\ndense 6\nbatch_normalization momentum=0.5\nrelu\ndense 3 activation=softmax\n"
                        "compile loss=categorical_crossentropy\nfit epochs=3 batch_size=8\n");
    says(train("m.net -o m1 --epochs=4 --batch-size=40 --shard-size=16", 0), "Non-trainable params: 20 (");
    train("m.net -o m2 --epochs=2 --batch-size=40 --shard-size=16 --threads=3 --checkpoint=m.k", 0);
    train("m.net -o m2 --epochs=4 --batch-size=40 --shard-size=16 --threads=2 --checkpoint=m.k --resume", 0);
    assert_same_files(text("%s/m1", folder), text("%s/m2", folder));
    assert_int_equal(cnnc_safetensors_read(text("%s/m1", folder), &file, NULL), CNNC_OK);
    const cnnc_safetensor *mean = cnnc_safetensors_find(&file, "batch_normalization_1/moving_mean"), *variance = cnnc_safetensors_find(&file, "batch_normalization_1/moving_variance");
    assert_non_null(mean);
    assert_non_null(variance);
    assert_true(*(const float *)mean->array.data != 0 && *(const float *)variance->array.data != 1);
    cnnc_safetensors_free(&file);
    says(run("evaluate m.net --data X.npy,Y.npy --weights m1", 0), "Test loss: ");
}

static void weights_by_name(void **state) {
    (void)state;
    train("a.net -o w", 0);
    char *description = text(net, "a", "relu", "0.05"), *second = strstr(description, "dense 3");
    write_text("b.net", text("%.*shead = %s", (int)(second - description), description, second));
    says(train("b.net -o w2 --weights=w --partial --epochs=1", 0), "Weights from w: dense\nNot in it, as initialised: head\n");
    says(train("b.net -o w2 --weights=w --epochs=1", 1), "w: lacks 'head/kernel'");
    says(train("b.net --partial", 2), "--partial without --weights");
    says(train("a.net --weights=w --checkpoint=k --resume", 2), "--weights and --resume exclude each other");
}

/* NaN, whatever its sign is, is said without one. */
static void no_number(void **state) {
    (void)state;
    static float xs[N * 4];
    write_text("n.net", text(net, "n", "tanh", "0.05")); /* a relu of NaN is 0 */
    train("n.net -o w", 0);
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int i = 0; i < N * 4; i++) xs[i] = copysignf(NAN, (float)sign);
        write_array("N.npy", CNNC_DTYPE_F32, 2, 4, xs);
        says(run("train n.net -o w --data N.npy,Y.npy", 1), "cnnc: error: the loss is nan in epoch 1, batch 1 (update 1); ");
        says(run("evaluate n.net --weights w --data N.npy,Y.npy", 0), "Test loss: nan - accuracy: 0.");
    }
}

/* What is no number stays so through every activation, on each target: a prediction that looks well would be a wrong one. */
static void no_number_is_hidden(void **state) {
    (void)state;
    static const char *const activations[] = {"relu", "sigmoid", "tanh", "softmax", "linear"}, *const variants[] = {"avx512,scalar", "avx2,scalar", "vec16", "scalar"};
    static float xs[N * 4];
    for (int i = 0; i < N * 4; i++) xs[i] = i / 4 == 1 ? NAN : (float)i / 256;
    write_array("holes.npy", CNNC_DTYPE_F32, 2, 4, xs);
    write_array("five.npy", CNNC_DTYPE_F32, 2, 5, (float[N * 5]){0});
    for (int a = 0; a < 5; a++) {
        write_text("h.net", text("network h\ninput 4\ndense 5 activation=%s\ncompile optimizer=sgd loss=mse\nfit epochs=1\n", activations[a]));
        for (int t = 0; t < 4; t++) {
            cnnc_array y;
            run(text("train h.net --epochs=1 --data X.npy,five.npy -o h.w --target=%s", variants[t]), 0);
            run(text("predict h.net --weights h.w --input holes.npy -o y.npy --target=%s", variants[t]), 0);
            assert_int_equal(cnnc_array_read(text("%s/y.npy", folder), &y, NULL), CNNC_OK);
            for (int i = 0; i < N * 5; i++)
                if (!isnan(((const float *)y.data)[i]) != (i / 5 != 1)) fail_msg("%s on %s: element %d is %g", activations[a], variants[t], i, (double)((const float *)y.data)[i]);
            cnnc_array_free(&y);
        }
    }
}

/* Code of one target only, where the machine may have it or not. */
static void what_the_machine_cannot_run(void **state) {
    (void)state;
#if defined __x86_64__ || defined __i386__
    __builtin_cpu_init();
    bool can = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    write_text("h.net", "network h\ninput 4\ndense 5\ncompile optimizer=sgd loss=mse\nfit epochs=1\n");
    write_array("five.npy", CNNC_DTYPE_F32, 2, 5, (float[N * 5]){0});
    const char *said = run("train h.net --data X.npy,five.npy -o h.w --target=avx512", can ? 0 : 1);
    if (!can) says(said, "cnnc: error: this machine cannot run network h");
#else
    skip();
#endif
}

/* The same examples as tables: the same weights, a test where there are examples for it, places in messages. */
static void tables(void **state) {
    (void)state;
    cnnc_array x, y;
    assert_int_equal(cnnc_array_read(text("%s/X.npy", folder), &x, NULL), CNNC_OK);
    assert_int_equal(cnnc_array_read(text("%s/Y.npy", folder), &y, NULL), CNNC_OK);
    mkdir(text("%s/tables", folder), 0777);
    FILE *out = fopen(text("%s/tables/train.csv", folder), "wb");
    assert_non_null(out);
    fprintf(out, "a,b,label,c,d\n");
    for (int i = 0; i < N; i++) {
        const float *row = (const float *)x.data + 4 * i;
        fprintf(out, "%.9g,%.9g,%d,%.9g,%.9g\n", (double)row[0], (double)row[1], ((const int32_t *)y.data)[i], (double)row[2], (double)row[3]);
    }
    assert_int_equal(fclose(out), 0);
    cnnc_array_free(&x);
    cnnc_array_free(&y);
    train("a.net -o w1", 0);
    assert_null(strstr(run("train a.net -o w2 --data tables", 0), "Test loss"));
    assert_same_files(text("%s/w1", folder), text("%s/w2", folder));
    assert_int_equal(rename(text("%s/tables/train.csv", folder), text("%s/t.csv", folder)), 0);
    run("train a.net -o w3 --data t.csv:label", 0);
    assert_same_files(text("%s/w1", folder), text("%s/w3", folder));
    says(run("evaluate a.net --weights w3 --data t.csv", 0), "Test loss: ");
    write_text("tables/train.csv", "a,b,c,d,kind\n1,2,3,4,0\n");
    write_text("tables/test.csv", "a,b,c,d,kind\n1,2,3,4,1\n");
    says(run("train a.net -o w4 --data tables", 0), "Test loss: ");
    write_text("tables/test.csv", "a,b,c,d,kind\n1,2,3,4,3\n");
    says(run("train a.net -o w5 --data tables", 1), "tables/test.csv:2: example 0 is of class 3");
    write_text("tables/test.csv", "a,b,c,d,kind\n1,2,n/a,4,2\n");
    says(run("evaluate a.net --weights w4 --data tables", 1), "tables/test.csv:2:5: 'n/a' in column 'c' is not a number");
    says(run("evaluate a.net --weights w4 --data nowhere.csv", 3), "nowhere.csv: No such file");
    assert_false(there("w5"));
}

/* The weights go to a pipe with less room than they need: when the signal comes the training is over, the test has not begun. */
static void a_signal_before_the_test(void **state) {
    (void)state;
    static const char table[] = "a,b,c,d,label\n1,2,3,4,0\n4,3,2,1,2\n2,2,1,1,1\n";
    const char *pipe = text("%s/pipe", folder);
    char bytes[4096];
    int status;
    ssize_t got;
    write_text("wide.net", "input 4\ndense 8000\ndense 3 activation=softmax\ncompile optimizer=sgd loss=sparse_categorical_crossentropy metrics=accuracy\nfit batch_size=1\n");
    mkdir(text("%s/both", folder), 0777);
    write_text("both/train.csv", table);
    write_text("both/test.csv", table);
    assert_int_equal(mkfifo(pipe, 0666), 0);
    struct pollfd reader = {.fd = open(pipe, O_RDONLY | O_NONBLOCK), .events = POLLIN};
    assert_true(reader.fd >= 0);
    Job *job = add_job(CNNC_COMMAND " train wide.net --data both -o pipe");
    job->directory = folder;
    start_job(job);
    assert_int_equal(poll(&reader, 1, 300000), 1);
    assert_int_equal(kill(job->pid, SIGTERM), 0);
    assert_int_equal(fcntl(reader.fd, F_SETFL, 0), 0);
    while ((got = read(reader.fd, bytes, sizeof bytes)) > 0) continue;
    assert_int_equal(got, 0);
    close(reader.fd);
    assert_int_equal(waitpid(job->pid, &status, 0), job->pid);
    const char *said = file_text(log_of(job), NULL);
    says(said, "Weights saved to pipe\nStopped while testing\n");
    assert_null(strstr(said, "Test loss"));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
    forget_jobs();
}

/* Of trainings that are stopped in their first epoch: no earlier weights are written over, a checkpoint is what to go on from. */
static void a_signal_within_the_training(void **state) {
    (void)state;
    static const struct { const char *options, *there; } cases[] = {
        {"-o s1", "Stopped after * updates. Weights saved to s1\n"},
        {"-o s1", "Stopped after * updates. Weights saved to s1.stopped\ns1 is what it was before\n"},
        {"-o s2 --checkpoint=s.k", "Stopped after * updates. The same command with --resume goes on from s.k\n"},
        {"-o s2 --checkpoint=s.k --resume", "Stopped after * updates. The same command with --resume goes on from s.k\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status;
        Job *job = add_job(text(CNNC_COMMAND " train a.net --data X.npy,Y.npy --epochs=100000000 %s", cases[i].options));
        job->directory = folder;
        start_job(job);
        const char *log = log_of(job);
        for (int k = 0; k < 300 && (access(log, F_OK) || !strstr(file_text(log, NULL), "Epoch ")); k++) poll(NULL, 0, 200);
        assert_int_equal(kill(job->pid, SIGINT), 0);
        assert_int_equal(waitpid(job->pid, &status, 0), job->pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 128 + SIGINT);
        const char *said = file_text(log, NULL), *star = strchr(cases[i].there, '*');
        says(said, text("%.*s", (int)(star - cases[i].there), cases[i].there));
        says(said, star + 1);
        forget_jobs();
    }
    assert_true(there("s1") && there("s1.stopped") && !there("s2") && there("s.k"));
}

/* In a process of an ordinary user, who may write to the device, not to its folder. */
static void devices(void **state) {
    (void)state;
    static char *argv[] = {"train", "a.net", "--data=X.npy,Y.npy", "-o", "/dev/null", "--csv-log=/dev/null", "--dry-run", NULL};
    int status;
    assert_int_equal(chmod(folder, 0777), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        if ((!geteuid() && setuid(65534)) || chdir(folder) || setenv("XDG_CACHE_HOME", text("%s/ordinary", folder), 1) || !freopen("ordinary.said", "wb", stdout) ||
            dup2(fileno(stdout), 2) < 0)
            _exit(126);
        alarm(SECONDS_A_JOB);
        status = command_train(7, argv);
        fflush(NULL);
        _exit(status);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    says(file_text(text("%s/ordinary.said", folder), NULL), "Would write the weights to /dev/null\n");
    assert_int_equal(status, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_of_examples_have_their_name),
        cmocka_unit_test(a_dry_run_writes_nothing), cmocka_unit_test(outputs_are_apart), cmocka_unit_test(a_signal_while_compiling), cmocka_unit_test(the_compilers_level_may_be_given), cmocka_unit_test(validation),      cmocka_unit_test(callbacks),
        cmocka_unit_test(other_networks_are_refused), cmocka_unit_test(other_callbacks_are_refused), cmocka_unit_test(an_early_stop_stays), cmocka_unit_test(moving_averages),
        cmocka_unit_test(weights_by_name), cmocka_unit_test(no_number), cmocka_unit_test(no_number_is_hidden), cmocka_unit_test(what_the_machine_cannot_run), cmocka_unit_test(tables), cmocka_unit_test(a_signal_before_the_test),
        cmocka_unit_test(a_signal_within_the_training), cmocka_unit_test(devices),
    };
    return cmocka_run_group_tests(tests, make_files, remove_folder);
}
