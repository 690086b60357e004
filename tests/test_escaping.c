/* Names, paths and metadata that mean something to C, Make, a shell, JSON or a terminal: they are harmless, or refused. Tried for
 * real: the C is compiled, Make reads the rules, Python the JSON. Whoever obeyed one of them would leave a file "pwned". */
#define _POSIX_C_SOURCE 200809L
#include "test_processes.h"

#include "cnnc_runtime.h"

#define NET CNNC_SOURCE_DIR "/tests/nets/dense.net"

/* Beginnings of file names. fits: what can be done with them. */
enum { ALL, NO_RULE, NO_HEADER };
static const struct { const char *name; int fits; } names[] = {
    {"plain", ALL},
    {"two words", ALL},
    {"two  blanks ", ALL},
    {"a#b", ALL},
    {"a$b$(shell touch pwned)${x}", ALL},
    {"$(touch pwned)", ALL},
    {"`touch pwned`", ALL},
    {"a' touch pwned '", ALL},
    {"a&&touch pwned", ALL},
    {"a|touch pwned", NO_RULE},
    {"a>pwned", ALL},
    {"star*", ALL},
    {"*", ALL},
    {"-Wl", ALL},
    {"%s%n%d", NO_RULE},
    {"a:b", NO_RULE},
    {"{a,b}", ALL},
    {"~", ALL},
    {"\xc3\xa9\xe6\xbc\xa2", ALL},
    {"\xff\xfe", ALL},
    {"question?mark", ALL},
    {"a;touch pwned", NO_RULE},
    {"a\"b", NO_HEADER},
    {"a\" * ", NO_HEADER},
    {"back\\slash", NO_HEADER},
    {"back\\ slash", NO_HEADER},
    {"what?" "?(", NO_HEADER},
};

static char *in_folder(const char *name) { return text("%s/%s", folder, name); }

static void copy_net(const char *to) {
    size_t n;
    char *s = file_text(NET, &n);
    FILE *out = fopen(to, "wb");
    if (!out) fail_msg("%s: %s", to, strerror(errno));
    assert_int_equal(fwrite(s, 1, n, out), n);
    fclose(out);
}

static void assert_not_obeyed(const char *what) {
    char *pwned = in_folder("pwned");
    if (!access(pwned, F_OK)) fail_msg("%s: obeyed", what);
}

/* Runs the last job alone, in the folder; what it said, which has only characters for showing. */
static char *run_here(Job *job, int wanted, const char *what) {
    job->directory = folder;
    try_jobs();
    char *log = log_of(job), *said = file_text(log, NULL);
    for (const char *c = said; *c; c++)
        if (((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7f || !strncmp(c, "\xc2\x9b", 2)) fail_msg("%s: byte %02x comes out: %s", what, (unsigned char)*c, said);
    if (!WIFEXITED(job->status) || WEXITSTATUS(job->status) != wanted) {
        print_job(job);
        fail_msg("%s: exit status %d was expected", what, wanted);
    }
    forget_jobs();
    return said;
}

/* cnnc with words, the last of which are options as they are. */
static Job *cnnc_job(const char *words, const char *a, const char *b, const char *c) {
    Job *job = add_job("");
    add_word(job, CNNC_COMMAND);
    add_words(job, words);
    const char *const more[] = {a, b, c};
    for (int i = 0; i < 3 && more[i]; i++) add_word(job, more[i]);
    return job;
}

static void compile_c(const char *compiler, const char *path, const char *what) {
    Job *job = add_job(compiler);
    add_words(job, "-std=c11 -trigraphs -Wall -Wextra -Werror -O0 -I " CNNC_SOURCE_DIR "/runtime -I . -c -o object.o");
    add_word(job, path);
    run_here(job, 0, what);
}

/* The rule's names are those of the files: Make finds what it needs and has nothing to do. */
static void make_reads(const char *what) {
    run_here(add_job("make -f rule.d"), 0, what);
}

static void names_of_files(void **state) {
    (void)state;
    bool make = there_is("make");
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++) {
        const char *what = names[i].name;
        char *net = text("%s/%s.net", folder, what), *local = text("./%s.net", what), *c = text("./%s.c", what), *tuning = text("--tuning=./%s.tune", what);
        char *tune = text("%s/%s.tune", folder, what);
        copy_net(net);
        fclose(fopen(tune, "w"));
        if (names[i].fits == NO_HEADER) { /* under another name it can be included */
            char *said = run_here(cnnc_job("-o", c, local, NULL), 2, what);
            assert_non_null(strstr(said, "cannot stand in an #include"));
            assert_int_equal(access(c, F_OK), -1);
            run_here(cnnc_job("--target=scalar --header=good.h -o", c, local, tuning), 0, what);
            run_here(cnnc_job("--target=scalar --header=good.h -MF rule.d -o", c, local, tuning), 0, what);
        } else if (names[i].fits == NO_RULE) {
            char *said = run_here(cnnc_job("--target=scalar -MF rule.d -o", c, local, NULL), 2, what);
            assert_non_null(strstr(said, "cannot stand in a rule"));
            said = run_here(cnnc_job("-MF rule.d -o good.c", local, NULL, NULL), 3, what);
            assert_non_null(strstr(said, "cannot stand in a rule"));
            char *good = in_folder("good.c"), *rule = in_folder("rule.d");
            assert_int_equal(access(good, F_OK), -1);
            unlink(rule);
            run_here(cnnc_job("--target=scalar -o", c, local, tuning), 0, what);
        } else run_here(cnnc_job("--target=scalar -MF rule.d -o", c, local, tuning), 0, what);
        compile_c("cc", c, what);
        if (!strcmp(what, "question?mark")) assert_non_null(strstr(file_text(text("%s/%s.c", folder, what), NULL), " question?mark.net"));
        if (make && names[i].fits != NO_RULE) make_reads(what);
        assert_not_obeyed(what);
    }
}

/* A folder's name may hold what a file's cannot. */
static void names_of_folders(void **state) {
    (void)state;
    static const char *const folders[] = {"a*", "b\"", "c\\", "/* d", "e$(touch pwned)", "what?\?"};
    for (int i = 0; i < (int)(sizeof folders / sizeof *folders); i++) {
        char *made = text("%s/%s", folder, folders[i]), *net = text("%s/in.net", made), *c = text("%s/out.c", made), *header = text("--header=%s/out.h", made);
        if (mkdir(made, 0777) && errno != EEXIST && errno != ENOENT) fail_msg("%s", made);
        if (!access(made, F_OK)) {
            copy_net(net);
            run_here(cnnc_job("--target=scalar -MD", "-o", c, net), 0, made);
            run_here(cnnc_job("--target=scalar -o", c, net, header), 0, made);
            compile_c("cc", c, made);
        }
        assert_not_obeyed(made);
    }
}

static void control_characters(void **state) {
    (void)state;
    static const char *const hostile[] = {"a\nb", "a\r", "\033[2J", "\007", "a\177", "\302\2332J", "\t"};
    for (int i = 0; i < (int)(sizeof hostile / sizeof *hostile); i++) {
        char *net = text("%s/%s.net", folder, hostile[i]), *option = text("--%s", hostile[i]), *c = text("%s.c", hostile[i]);
        copy_net(net);
        run_here(cnnc_job("-o out.c", net, NULL, NULL), 2, "net");
        run_here(cnnc_job("-MD " NET " -o", c, NULL, NULL), 2, "-o");
        run_here(cnnc_job("summary", net, NULL, NULL), 2, "summary");
        run_here(cnnc_job("summary", option, NULL, NULL), 2, "option");
        run_here(cnnc_job(hostile[i], NULL, NULL, NULL), 2, "command");
        unlink(net);
    }
}

/* Names beyond what a path or a line of C takes: refused or cut, whole files or none. */
static void long_names(void **state) {
    (void)state;
    char name[4001], *file = NULL;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    run_here(cnnc_job(name, NULL, NULL, NULL), 2, "command");
    file = text("./%.3990s.net", name);
    run_here(cnnc_job("-o out.c", file, NULL, NULL), 3, "net");
    run_here(cnnc_job(NET " -o", file, NULL, NULL), 3, "-o");
    file = text("%s/name.net", folder);
    FILE *out = fopen(file, "w");
    fprintf(out, "network %s\ninput 2\ndense 2\n", name);
    fclose(out);
    run_here(cnnc_job("-o out.c name.net", NULL, NULL, NULL), 1, "network");
    file = text("./%.200s.net", name);
    char *full = text("%s/%s", folder, file), *c = text("./%.200s.c", name);
    copy_net(full);
    run_here(cnnc_job("--target=scalar -MF rule.d -o", c, file, NULL), 0, "200 letters");
    compile_c("cc", c, "200 letters");
}

/* No shell sees what CC names. */
static void the_compiler(void **state) {
    (void)state;
    static const struct { const char *cc, *says; } cases[] = {
        {"$(touch pwned)", "there is no C compiler '$(touch'"}, {"`touch pwned`", "there is no C compiler '`touch'"},
        {"cc;touch pwned", "there is no C compiler 'cc;touch'"}, {"'cc'", "there is no C compiler ''cc''"},
        {"\033[2Jcc", "control character"}, {"cc\ntouch pwned", "control character"},
        {"cc -Dx=`touch<pwned`", "No such file"}, {"   ", "No such file"}, {"  cc  -g0 ", "No such file"},
    };
    for (int i = 0; i < (int)(sizeof cases / sizeof *cases); i++) {
        Job *job = cnnc_job("evaluate --target=scalar --weights=none --data=none.npy,none.npy", NET, NULL, NULL);
        job->environment[0] = "CC";
        job->environment[1] = cases[i].cc;
        char *said = run_here(job, 3, cases[i].cc);
        if (!strstr(said, cases[i].says)) fail_msg("'%s' does not say '%s'", said, cases[i].says);
        assert_not_obeyed(cases[i].cc);
    }
}

static void json(void **state) {
    (void)state;
    if (!there_is("python3")) skip();
    char *python = in_folder("read.py");
    FILE *out = fopen(python, "w");
    fprintf(out, "import json, struct, sys\nb = open(sys.argv[1], 'rb').read()\n"
                 "if b[:1] != b'{': n = struct.unpack('<Q', b[:8])[0]; h = json.loads(b[8:8 + n]); assert h['__metadata__']['k\\n\"*/'] == '$(x)\\\\\\x1b\\u00e9`', h\n"
                 "else: h = json.loads(b); assert h['network'], h\n");
    fclose(out);
    run_here(cnnc_job("bench --repeat=1 --target=scalar --json", "two words$(touch pwned).json", NET, NULL), 0, "bench");
    Job *job = add_job("python3 read.py");
    add_word(job, "two words$(touch pwned).json");
    run_here(job, 0, "bench --json");
    float x[2] = {1, 2};
    const cnnc_safetensor tensor = {"a\033[2J\xc2\x9b\xe2\x80\xae\"\\\n", {.dtype = CNNC_DTYPE_F32, .rank = 1, .shape = {2}, .count = 2, .data = x}};
    const cnnc_metadata metadata = {"k\n\"*/", "$(x)\\\033\xc3\xa9`"};
    cnnc_error error;
    char *path = in_folder("weights");
    assert_int_equal(cnnc_safetensors_write(path, &tensor, 1, &metadata, 1, &error), CNNC_OK);
    run_here(add_job("python3 read.py weights"), 0, "safetensors");
    assert_not_obeyed("JSON");
}

/* What files say of themselves comes to a terminal without what would move its cursor or turn its text. */
static void messages(void **state) {
    (void)state;
    static const char hostile[] = "a\033[2J\r\n\t\x7f\xc2\x9b\xe2\x80\xae\xe2\x81\xa6z";
    float x[2] = {1, 2};
    const cnnc_safetensor tensors[] = {{hostile, {.dtype = CNNC_DTYPE_F32, .rank = 1, .shape = {2}, .count = 2, .data = x}},
                                       {hostile, {.dtype = CNNC_DTYPE_F32, .rank = 1, .shape = {2}, .count = 2, .data = x}}};
    cnnc_error error;
    char *path = in_folder("twice");
    assert_int_equal(cnnc_safetensors_write(path, tensors, 2, NULL, 0, &error), CNNC_FAILED);
    assert_non_null(strstr(error.text, "'a?[2J??" "????" "?" "?" "???" "?z' comes twice"));
    for (const char *c = error.text; *c; c++) assert_true((unsigned char)*c >= 0x20 && (unsigned char)*c < 0x7f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_of_files), cmocka_unit_test(names_of_folders), cmocka_unit_test(control_characters),
                                       cmocka_unit_test(long_names), cmocka_unit_test(the_compiler), cmocka_unit_test(json), cmocka_unit_test(messages)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
