/* onnx.c: the reader of ONNX: all of its stages, and what is to be known about a file that was read. */
#include "onnx.h"

void import_onnx(Model *m, const char *path, const OnnxOptions *options, Onnx *o) {
    *o = (Onnx){.model = m, .arena = m->arena, .options = options};
    if (!onnx_read(o, path)) return;
    onnx_match(o);
    onnx_convert(o);
}

/* "0, 2, 3, 1", of which the batch is the first. */
static void tell(const Onnx *o, const char *what, const Port *port) {
    bool turned = port->batch > 0;
    StrBuf text = {0};
    for (int i = 0; i < port->axes; i++) {
        turned = turned || (i && port->order[i] < port->order[i - 1]);
        strbuf_printf(&text, "%s%d", i ? ", " : "", port->order[i]);
    }
    if (turned && port->node >= 0) remark("note", o->model->path, 0, "%s '%s': the axes of an example are axes %s of the file's", what, shown(o->model, port->name), text.text);
    strbuf_free(&text);
}

void read_onnx(Model *m, const char *path) {
    static const OnnxOptions none;
    Onnx o;
    import_onnx(m, path, &none, &o);
    for (int i = 0; i < o.input_count && !m->errors; i++) tell(&o, "input", &o.inputs[i]);
    for (int i = 0; i < o.output_count && !m->errors; i++) tell(&o, "output", &o.outputs[i]);
}
