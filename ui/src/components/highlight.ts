// The languages that code of a project is written in. Loaded on demand.
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import sql from "highlight.js/lib/languages/sql";
import ini from "highlight.js/lib/languages/ini";
import yaml from "highlight.js/lib/languages/yaml";

for (const [name, language] of Object.entries({ bash, json, python, sql, ini, yaml })) hljs.registerLanguage(name, language);
hljs.registerAliases(["console", "shell", "sh"], { languageName: "bash" });
hljs.registerAliases(["toml"], { languageName: "ini" });

/** As HTML, with everything of the text escaped; undefined where the language is not known or the text is too long. */
export function highlighted(code: string, language: string): string | undefined {
  if (!hljs.getLanguage(language) || code.length > 400_000) return undefined;
  return hljs.highlight(code, { language, ignoreIllegals: true }).value;
}
