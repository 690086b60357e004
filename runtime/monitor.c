/* monitor.c: what callbacks share: the result that they watch, and how they tell of it. */
#include "private.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

static int find_column(const cnnc_network *network, const char *name) {
    for (int i = 0; i <= network->metric_count; i++)
        if (!strcmp(cnnc_result_name(network, i), name))
            return i;
    return -1;
}

/* Keras's direction of a metric: up or down. */
static int rises(const char *name) {
    static const char *const words[] = {"acc", "auc", "precision", "recall"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(name, words[i]))
            return 1;
    return 0;
}

int cnnc_monitor_find(cnnc_monitor *monitor, const cnnc_network *network, const char *name, cnnc_mode mode, double min_delta, const char *who,
                      cnnc_error *error) {
    *monitor = (cnnc_monitor){.name = name, .validation = !strncmp(name, "val_", 4)};
    monitor->column = find_column(network, monitor->validation ? name + 4 : name);
    monitor->maximize = mode == CNNC_MODE_MAX || (mode == CNNC_MODE_AUTO && rises(name));
    monitor->min_delta = fabs(min_delta);
    if (monitor->column >= 0)
        return CNNC_OK;
    char names[256] = "";
    size_t used = 0;
    for (int i = 0; i <= network->metric_count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s, val_%s", i ? ", " : "", cnnc_result_name(network, i), cnnc_result_name(network, i));
    return cnnc_fail(error, "%s: there is no result '%s' to monitor, network %s has %s", who, name, network->name, names);
}

double cnnc_monitor_value(const cnnc_monitor *monitor, const cnnc_event *event) {
    return (monitor->validation ? event->validation : event->results)[monitor->column];
}

int cnnc_monitor_improved(const cnnc_monitor *monitor, double value, double reference) {
    if (isnan(reference))
        return !isnan(value);
    return monitor->maximize ? value - monitor->min_delta > reference : value + monitor->min_delta < reference;
}

void cnnc_say(FILE *out, const char *format, ...) {
    if (!out)
        return;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(out, format, arguments);
    va_end(arguments);
    fflush(out);
}
