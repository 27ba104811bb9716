// Run after `npm install`: takes out of package-lock.json what says where packages come from or who asks for money.
// Which registry is used is a setting of the machine, never of this repository.
import { readFile, writeFile } from "node:fs/promises";

const place = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(await readFile(place, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.resolved;
  delete entry.funding;
}
await writeFile(place, `${JSON.stringify(lock, null, 2)}\n`);
