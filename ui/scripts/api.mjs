// Writes src/api/schema.d.ts from docs/openapi.json: the types of everything the API takes and gives. It is made anew
// before every build, type check and test, so it cannot differ from the API; that docs/openapi.json does not differ from
// the server is a test of the Python side.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const source = new URL("../../docs/openapi.json", import.meta.url);
const target = new URL("../src/api/schema.d.ts", import.meta.url);

const text = `// Generated from docs/openapi.json by scripts/api.mjs. Do not edit.\n\n${astToString(await openapiTS(source))}`;
const known = await readFile(target, "utf8").catch(() => "");
if (known !== text) {
  await writeFile(target, text);
}
