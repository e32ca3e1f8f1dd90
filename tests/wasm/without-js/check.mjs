// Runs the module of `lib.rs` as a host without JavaScript would: it gives it nothing to import.

import { readFile } from "node:fs/promises";
import { strict as assert } from "node:assert";

const module = await WebAssembly.compile(await readFile(process.argv[2]));
assert.deepEqual(WebAssembly.Module.imports(module), []);
const { exports } = await WebAssembly.instantiate(module, {});
assert.equal(exports.delays(), BigInt(100 + 200 + 1000 + 2000 + 100_000 + 5000 + 100_000));
console.log("without JavaScript: no imports, and the delays are those of the policies");
