"""Builds our side: generated C, the driver around it, the runtime; each with every C compiler that is there."""

import glob
import os
import re
import shutil
import subprocess

import description
from workers import Failure

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CNNC = os.path.join(ROOT, "build", "cnnc")
RUNTIME = os.path.join(ROOT, "runtime")
FOLDER = os.path.join(ROOT, "build", "bench")
ELEMENTS = {"u8": "uint8_t", "f32": "float", "i32": "int32_t"}


def path(*parts):
    """A path under build/bench, whose folder exists."""
    whole = os.path.join(FOLDER, *parts)
    os.makedirs(os.path.dirname(whole), exist_ok=True)
    return whole


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"{' '.join(command)}\n{(done.stderr or done.stdout).strip()}")
    return done.stdout


def compilers():
    return [name for name in ("gcc", "clang") if shutil.which(name)]


def compiler_version(compiler):
    return run([compiler, "--version"]).split("\n", maxsplit=1)[0]


def runtime(compiler):
    """The runtime as an archive. Always made anew: it takes seconds."""
    folder = path(compiler, "runtime", "")
    for source in glob.glob(os.path.join(RUNTIME, "*.c")):
        target = os.path.join(folder, os.path.basename(source)[:-2] + ".o")
        run([compiler, "-O2", "-std=c11", "-c", source, "-o", target])
    archive = path(compiler, "libruntime.a")
    if os.path.exists(archive):
        os.remove(archive)
    run(["ar", "rcs", archive] + glob.glob(os.path.join(folder, "*.o")))
    return archive


def generate(net, name, options):
    """NAME_net.c and NAME_net.h of a description, in a folder of their own."""
    source = path("c", name, description.read(net).name + "_net.c")
    run([CNNC, net, "-o", source] + options)
    return source


def driver(source, compiler, archive):
    """The program that trains a generated network."""
    prefix = os.path.basename(source)[:-len("_net.c")]
    program = f"{source[:-2]}.{compiler}"
    run([compiler, "-O2", "-std=c11", f"-I{RUNTIME}", f"-I{os.path.dirname(source)}",
         f'-DNETWORK_HEADER="{prefix}_net.h"', f"-DNETWORK={prefix}_network", "-o", program,
         os.path.join(HERE, "driver.c"), source, archive, "-lm", "-lpthread"])
    return program


def predictor(net, network, name, options, compiler, batch):
    """The program that predicts with a network whose weights are in the code: cnnc's options, a name for them."""
    source = path("c", name, network.name + ".c")
    run([CNNC, net, "--inference", "-o", source] + options)
    program = f"{source[:-2]}.{compiler}"
    macro = network.name.upper()
    run([compiler, "-O2", "-std=c11", f"-I{os.path.dirname(source)}", f'-DHEADER="{network.name}.h"',
         f"-DPREDICT={network.name}_predict", f"-DPREDICT_MANY={network.name}_predict_many",
         f"-DELEMENT={ELEMENTS[network.input.type]}", f"-DINPUT={macro}_INPUT", f"-DOUTPUT={macro}_OUTPUT",
         f"-DWORKSPACE={macro}_MANY_WORKSPACE_BYTES", f"-DBATCH={batch}", "-o", program,
         os.path.join(HERE, "predict.c"), source, "-lm"])
    return program


def peak():
    program = path("peak")
    run([compilers()[0], "-O2", "-std=gnu11", "-ffp-contract=fast", "-o", program, os.path.join(HERE, "peak.c"),
         "-lpthread"])
    return program


def prototype(source, compiler):
    """A hand-written rival, with the options of its header's line 'Build: gcc OPTIONS FILE ...', else -O2."""
    with open(source, encoding="utf-8") as file:
        header = re.search(r"Build: \w+ ([^(;\n]*)", file.read())
    words = header.group(1).split() if header else ["-O2", "-lpthread", "-lm"]
    options = [word for word in words if word.startswith("-") and word != "-o"]
    program = path("prototype", compiler)
    run([compiler] + [o for o in options if not o.startswith("-l")] + [source, "-o", program] +
        [o for o in options if o.startswith("-l")])
    return program
