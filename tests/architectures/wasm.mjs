// As main.c: node wasm.mjs MODULE IMAGES OUTPUTS COUNT. The module gets nothing from outside.
import fs from 'node:fs';

const [module, images, outputs, count] = process.argv.slice(2);
const { exports } = (await WebAssembly.instantiate(fs.readFileSync(module), {})).instance;
const size = exports.inputs(), n = exports.outputs();
const from = fs.readFileSync(images), to = Buffer.alloc(4 * n * count);
const memory = new Uint8Array(exports.memory.buffer), view = new DataView(exports.memory.buffer);
if (from.length < size * count) throw new Error(`${images} has less than ${count} images`);
for (let i = 0; i < count; i++) {
    memory.set(from.subarray(size * i, size * (i + 1)), exports.image());
    const at = exports.predict();
    for (let k = 0; k < n; k++) to.writeFloatLE(view.getFloat32(at + 4 * k, true), 4 * (n * i + k));
}
fs.writeFileSync(outputs, to);
