"""What --diagnostics-format=json says, read by Python: read_diagnostics.py CNNC FOLDER.

Of every wrong or doubtful description under tests/golden, of wrong usage and of names that need escaping: each line is
one object of the documented shape, and its parts make the text that is said without the option.
"""
import json, os, pathlib, re, shutil, subprocess, sys

cnnc, folder = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
golden = pathlib.Path(__file__).parent / "golden"
shutil.rmtree(folder, ignore_errors=True)
folder.mkdir(parents=True)
KINDS = {"error", "warning", "note", "internal error"}


def run(*arguments):
    result = subprocess.run([cnnc, *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True)
    return result.returncode, result.stderr


def check_place(place, exact):
    assert set(place) == {"file", "line", "column"} if exact else {"file"} <= set(place) <= {"file", "line", "column"}, place
    assert place.get("line", 1) >= 1 and place.get("column", 1) >= 1, place


def as_text(o, child=False):
    """The lines that show the object and its children, without source lines."""
    assert set(o) - {"fixits"} == {"kind", "message", "locations", "children"}, o
    assert o["kind"] in ({"note", "hint"} if child else KINDS), o
    assert isinstance(o["message"], str) and o["message"] and len(o["locations"]) < 2, o
    begin = "" if o["kind"] == "hint" else "cnnc: "
    for location in o["locations"]:
        caret, finish = location["caret"], location.get("finish")
        check_place(caret, finish)
        assert not finish or (finish["line"] == caret["line"] and finish["column"] > caret["column"]), o
        begin = ":".join(str(caret[k]) for k in ("file", "line", "column") if k in caret) + ": "
    for fixit in o.get("fixits", []):
        assert set(fixit) == {"start", "next", "string"} and o["kind"] == "hint", o
        check_place(fixit["start"], True)
        check_place(fixit["next"], True)
        assert f"'{fixit['string']}'" in o["message"], o
    yield begin + o["kind"] + ": " + o["message"]
    for c in o["children"]:
        yield from as_text(c, True)


def objects(output):
    text = output.decode("utf-8")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text), text
    assert not text or text.endswith("\n"), text
    return [json.loads(line) for line in text.split("\n")[:-1]]


def same(*arguments):
    """Compares what is said both ways; returns the objects."""
    status, plain = run(*arguments)
    json_status, output = run("--diagnostics-format=json", *arguments) if arguments[0].endswith(".net") else run(*arguments, "--diagnostics-format=json")
    found = objects(output)
    lines = [line for line in plain.decode("utf-8").split("\n")[:-1] if not line.startswith("    ")]
    shown = [line for o in found for line in as_text(o)]
    shown = [re.sub(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", lambda c: " " if c[0] == "\t" else "?", line).replace("\ufffd", "?") for line in shown]
    assert status == json_status, (arguments, status, json_status)
    assert lines == shown, (arguments, lines, shown)
    return found


def apply(name, fixit):
    """The description with the fix in it."""
    lines = (folder / name).read_bytes().split(b"\n")
    start, stop = fixit["start"], fixit["next"]
    line = lines[start["line"] - 1]
    lines[start["line"] - 1] = line[: start["column"] - 1] + fixit["string"].encode() + line[stop["column"] - 1 :]
    return b"\n".join(lines)


count = fixes = 0
for kind in ("errors", "warnings"):
    for net in sorted((golden / kind).glob("*.net")):
        shutil.copy(net, folder)
        found = same(net.name, "-o", "out.c")
        assert found, net
        count += len(found)
        for o in found:
            for fixit in [f for c in o["children"] for f in c.get("fixits", [])]:
                (folder / "fixed.net").write_bytes(apply(net.name, fixit))
                _, after = run("fixed.net", "-o", "out.c", "--diagnostics-format=json")
                assert not any(p["message"] == o["message"] and p["locations"][0]["caret"]["line"] == fixit["start"]["line"] for p in objects(after)), net
                fixes += 1
assert fixes > 10, fixes

good = folder / "good.net"
good.write_text("input 4\ndense 2\ncompile loss=mse\n")
for arguments in (
    ["good.net"], ["good.net", "-o"], ["good.net", "--taget=scalar"], ["good.net", "-o", "a.c", "--target=avx"], ["good.net", "-o", "a.c", "--threads"],
    ["good.net", "-o", "none/a.c"], ["none.net", "-o", "a.c"], ["summary"], ["summary", "none.net"], ["train", "good.net"], ["train", "good.net", "--data", 'a"\\b'],
    ["tran", "good.net"], ["check", "-"], ["predict", "good.net"], ["evaluate", "good.net", "--data", "none", "--weights", "none"],
    ["good.net", "-o", "a.c", "--tuning=none"], ["good.net", "-o", "a.c", "--shard-size=x"], ["good.net", "-o", 'a"b.c'], ["good.net", "-o", "a.c", "-o", "b.c"],
):
    assert same(*arguments), arguments
assert run("good.net", "-o", "a.c", "--diagnostics-format=json") == (0, b"")
assert run("good.net", "-o", "a.c", "--diagnostics-format=yaml")[0] == 2

hostile = folder / 'a"b\\c.net'
hostile.write_bytes(b'input 4\ndense \xff\x1b[2J"\\ \xe2\x80\xae \xf0\x9f\x90\x88\n\xe2\x80\xae\n')
assert objects(run(str(hostile.name), "-o", "a.c", "--diagnostics-format=json")[1])[0]["locations"][0]["caret"]["file"] == hostile.name
named = os.path.join(os.fsencode(folder), b"\xff\xe2\x80\xae.net")
with open(named, "wb") as out:
    out.write(b"dense\n")
status, output = run(named, "-o", "a.c", "--diagnostics-format", "json")
assert status == 1 and objects(output)[0]["locations"][0]["caret"]["file"].endswith("\ufffd\u202e.net"), output
status, output = run("a\nb\x1b.net", "--diagnostics-format=json")
assert status == 2 and len(objects(output)) == 1, output

templates = folder / "templates"
templates.mkdir()
(templates / "dense.c.tmpl").write_text("$def forward\n$if nothing\n$end\n$end\n")
[o] = objects(run("good.net", "-o", "a.c", "--templates=templates", "--diagnostics-format=json")[1])
assert o["locations"] == [{"caret": {"file": "templates/dense.c.tmpl", "line": 2}}] and "nothing" in o["message"], o
print(f"{count} objects of descriptions, {fixes} fixes applied")
