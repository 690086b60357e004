#!/usr/bin/env python3
"""Changes one token of the compiler or the runtime at a time, and looks whether the tests notice.

usage: tests/mutation/mutate.py [--count=100] [--seed=1] [--jobs=2] [--work=build/mutation] [--limit=300] [--tests=REGEX]

Mutants are drawn with the seed: the same sources and seed give the same ones. A mutant counts when it compiles and its object
file differs. Test programs of what the file does come first, then the others (not the long ones); the first failure, or no end
within --limit seconds a program, is a catch. Results are kept in WORK/results-SEED.jsonl as they come, and a second run goes on
from there. Each job works in a copy of the repository of its own. A mutant may write or remove what it likes: root runs the tests as
nobody, who must be able to reach WORK. Exit status: 0, 1 if fewer than nine of ten were caught.
"""
import argparse
import concurrent.futures
import difflib
import hashlib
import json
import os
import pathlib
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = re.compile(r'''
    (?P<skip>/\*.*?\*/|//[^\n]*|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+')
  | (?P<number>\b(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)[uUlLfF]*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<op><<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%<>&|!^])
''', re.S | re.M | re.X)
OPERATORS = {
    '<': ['<=', '>='], '<=': ['<', '>'], '>': ['>=', '<='], '>=': ['>', '<'], '==': ['!='], '!=': ['=='], '&&': ['||'], '||': ['&&'],
    '+': ['-'], '-': ['+'], '*': ['/', '+'], '/': ['*'], '%': ['/'], '+=': ['-='], '-=': ['+='], '*=': ['/='], '/=': ['*='],
    '++': ['--'], '--': ['++'], '<<': ['>>'], '>>': ['<<'], '&': ['|'], '|': ['&'], '^': ['|'], '|=': ['&='], '&=': ['|='], '!': [''],
}
WORDS = {'true': ['false'], 'false': ['true'], 'break': ['continue'], 'continue': ['break'], 'min': ['max'], 'max': ['min']}
STATEMENT = re.compile(r'^[ \t]+(?!return\b|break\b|case\b|default\b|const\b|static\b|else\b|if\b|for\b|while\b)[A-Za-z_][\w>.\[\]-]*'
                       r'(?:\([^;{}"]*\)|(?: [-+*/|&]?= |\+\+|--)[^;{}"]*)?;$', re.M)
CALL = re.compile(r'\b([a-z_]\w*)\(([^(),"{};]+), ([^(),"{};]+)\)')

# Which test programs come first for a file: those with one of the words in their name.
RELEVANT = [
    (r'runtime/(\w+)\.c', ['runtime_{0}', 'runtime_fit', 'runtime_', 'check', 'determinism']),
    (r'compiler/template\w*\.c', ['template', 'golden', 'stages']),
    (r'compiler/base/', ['base', 'parse', 'golden']),
    (r'compiler/commands/bench', ['bench']),
    (r'compiler/commands/check', ['check', 'reference']),
    (r'compiler/commands/', ['compile', 'golden', 'check', 'determinism', 'runtime_', 'tune', 'bench']),
    (r'compiler/(parse|build|attributes)\.c', ['{0}', 'build', 'golden', 'stages']),
    (r'compiler/ops/', ['build', 'golden', 'stages', 'check', 'optimizers', 'reference']),
    (r'compiler/tuning\.c', ['tune', 'base']),
    (r'compiler/', ['stages', 'algorithms', 'golden', 'check', 'reference', 'optimizers']),
]


def sources():
    found = [p for folder in ('compiler', 'runtime') for p in (ROOT / folder).rglob('*.c')]
    return sorted(str(p.relative_to(ROOT)) for p in found)


def mutations_of(text):
    """All (start, end, replacement) of a file."""
    found, skipped = [], []
    for m in TOKEN.finditer(text):
        kind, token = m.lastgroup, m.group()
        if kind == 'skip':
            skipped.append(m.span())
        elif kind == 'number':
            try:
                value = int(token, 0)
            except ValueError:
                found.append((*m.span(), f'({token} * 2)'))
                continue
            found += [(*m.span(), str(v)) for v in ({value + 1, value - 1, 0} - {value}) if v >= 0]
        else:
            found += [(*m.span(), new) for new in (OPERATORS if kind == 'op' else WORDS).get(token, [])]
    found += [(m.end() - len(m.group().lstrip()), m.end(), ';') for m in STATEMENT.finditer(text)]
    found += [(m.start(2), m.end(3), f'{m.group(3)}, {m.group(2)}') for m in CALL.finditer(text) if m.group(2) != m.group(3)]
    return sorted({f for f in found if not any(a <= f[0] < b for a, b in skipped)})


def draw(count, seed):
    """More mutants than will be needed, in the order of the seed: each file as likely as it has lines."""
    chosen = random.Random(seed)
    texts = {p: (ROOT / p).read_text() for p in sources()}
    all_mutations = {p: mutations_of(t) for p, t in texts.items()}
    paths = [p for p in texts if all_mutations[p]]
    weights = [texts[p].count('\n') for p in paths]
    seen = set()
    for _ in range(count * 20):
        path = chosen.choices(paths, weights)[0]
        start, end, new = chosen.choice(all_mutations[path])
        if (path, start, end, new) in seen:
            continue
        seen.add((path, start, end, new))
        yield path, start, end, new


NOBODY = 65534


def end_session(session):
    """Not only its first group: make tools give what they run a group of its own."""
    for folder in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            if int((folder / 'stat').read_text().rpartition(')')[2].split()[3]) == session:
                os.kill(int(folder.name), signal.SIGKILL)
        except (OSError, IndexError, ValueError):
            pass


def run(command, cwd, limit, env=None, unprivileged=False):
    """Exit status, None when the time is over; all processes of its session end with it."""
    other = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []} if unprivileged and os.geteuid() == 0 else {}
    child = subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                             start_new_session=True, **other)
    try:
        return child.wait(limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        end_session(child.pid)
        child.wait()


def ordered_tests(path):
    words = []
    for pattern, wanted in RELEVANT:
        m = re.match(pattern, path)
        if m:
            words = [w.format(*m.groups()) for w in wanted]
            break
    def rank(name):
        return next((i for i, w in enumerate(words) if w in name), len(words))
    return sorted(SECONDS, key=lambda name: (rank(name), SECONDS[name]))


SECONDS = {}  # of each test program that passes with nothing changed


class Workplace:
    """A copy of the repository and its build."""

    def __init__(self, folder, tests):
        self.source, self.build = folder / 'source', folder / 'build'
        self.home = folder / 'home'
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(self.home), HOME=str(self.home))
        self.clear_home()
        shutil.rmtree(self.source, ignore_errors=True)
        listed = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout.decode()
        for name in filter(None, listed.split('\0')):
            target = self.source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_file():
                shutil.copy2(ROOT / name, target)
        subprocess.run(['cmake', '-S', self.source, '-B', self.build, '-G', 'Ninja', '-DBUILD_TESTING=ON', '-DCMAKE_BUILD_TYPE=Release',
                        '-DCMAKE_C_FLAGS_RELEASE=-O1'], check=True, stdout=subprocess.DEVNULL)
        if self.make():
            sys.exit(f'{self.source} does not build')
        for written in (self.build, self.build / 'tests'):  # by tests; what is root's they cannot remove
            written.chmod(0o1777)
        self.programs = sorted(p.stem for p in (self.source / 'tests').glob('test_*.c') if re.search(tests, p.stem))

    def clear_home(self):
        """A mutant's code must not be found by the next."""
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        if os.geteuid() == 0:
            os.chown(self.home, NOBODY, NOBODY)

    def make(self):
        return run(['cmake', '--build', self.build, '--parallel', '1'], self.build, 900)

    def object_hash(self, path):
        found = list((self.build / 'CMakeFiles').glob(f'*.dir/{path}.o'))
        return hashlib.sha256(found[0].read_bytes()).hexdigest() if found else None

    def test(self, name, limit):
        return run([self.build / 'tests' / name], self.build / 'tests', limit, self.environment, unprivileged=True)

    def judge(self, mutant, limit):
        path, start, end, new = mutant
        file = self.source / path
        original = file.read_text()
        before = self.object_hash(path)
        changed = original[:start] + new + original[end:]
        diff = ''.join(difflib.unified_diff(original.splitlines(True), changed.splitlines(True), path, path, n=1))
        result = {'file': path, 'start': start, 'end': end, 'new': new, 'diff': diff}
        file.write_text(changed)
        try:
            # -Werror is off: a warning is no catch, a compiler that refuses is no mutant.
            target = next(iter((self.build / 'CMakeFiles').glob(f'*.dir/{path}.o'))).relative_to(self.build)
            if run(['ninja', str(target)], self.build, 900):
                return dict(result, outcome='does not compile')
            if self.object_hash(path) == before:
                return dict(result, outcome='same object file')
            if self.make() != 0:
                return dict(result, outcome='caught', by='the build')
            for name in ordered_tests(path):
                status = self.test(name, min(limit, 30 + 10 * SECONDS[name]))
                if status != 0:
                    return dict(result, outcome='caught', by=name, how='no end' if status is None else f'exit status {status}')
            return dict(result, outcome='survived')
        finally:
            file.write_text(original)
            os.utime(file)
            self.make()
            self.clear_home()


def report(results):
    counted = [r for r in results if r['outcome'] in ('caught', 'survived')]
    caught = [r for r in counted if r['outcome'] == 'caught']
    for r in counted:
        if r['outcome'] == 'survived':
            print(f'survived:\n{r["diff"]}')
    print(f'{len(caught)} of {len(counted)} caught; besides, {sum(r["outcome"] == "does not compile" for r in results)} did not compile and '
          f'{sum(r["outcome"] == "same object file" for r in results)} changed nothing')
    return 0 if 10 * len(caught) >= 9 * len(counted) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--count', type=int, default=100, help='mutants that count')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--jobs', type=int, default=2, help='at a time')
    parser.add_argument('--work', type=pathlib.Path, default=ROOT / 'build' / 'mutation')
    parser.add_argument('--limit', type=float, default=300, help='seconds a test program may take')
    parser.add_argument('--tests', default='', help='only test programs whose names match')
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    log = work / f'results-{options.seed}.jsonl'
    done = {}
    if log.exists():
        for line in log.read_text().splitlines():
            r = json.loads(line)
            done[r['file'], r['start'], r['end'], r['new']] = r
    places = queue.Queue()
    for i in range(options.jobs):
        place = Workplace(work / f'job{i}', options.tests)
        places.put(place)
    for name in place.programs:
        begin = time.monotonic()
        if place.test(name, options.limit) != 0:
            print(f'left out: {name}, which fails with nothing changed', flush=True)
            continue
        SECONDS[name] = time.monotonic() - begin

    def judge(mutant):
        if mutant in done:
            return done[mutant]
        place = places.get()
        try:
            return place.judge(mutant, options.limit)
        finally:
            places.put(place)

    results, counting = [], 0
    mutants = draw(options.count, options.seed)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool, log.open('a') as out:
        pending = []
        while counting < options.count:
            while len(pending) < options.jobs:
                mutant = next(mutants, None)
                if mutant is None:
                    break
                pending.append((mutant, pool.submit(judge, mutant)))
            if not pending:
                break
            mutant, future = pending.pop(0)  # in the order drawn, so that the count ends at the same mutant each time
            result = future.result()
            results.append(result)
            if mutant not in done:
                out.write(json.dumps(result) + '\n')
                out.flush()
            if result['outcome'] in ('caught', 'survived'):
                counting += 1
                print(f'{counting:4} {result["outcome"]:9} {result["file"]} {result.get("by", "")} {result.get("how", "")}', flush=True)
        for _, future in pending:
            future.cancel()
    return report(results)


if __name__ == '__main__':
    sys.exit(main())
