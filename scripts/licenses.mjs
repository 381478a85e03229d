import fs from "node:fs";
import path from "node:path";

const LICENSE_FILE = /^(licen[cs]e|notice|copying)(\.|-|$)/i;

/** The licence texts of every package that a bundle holds; `inputs` are esbuild's metafile paths. */
export function collectLicenses(root, inputs) {
  const folders = new Set(inputs.map(packageFolder).filter((folder) => folder !== undefined));
  return [...folders]
    .sort()
    .map((folder) => licenseOf(path.join(root, folder)))
    .join(`\n${"-".repeat(80)}\n\n`);
}

function packageFolder(input) {
  const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  return match?.[1];
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
  const texts = fs
    .readdirSync(folder)
    .filter((file) => LICENSE_FILE.test(file))
    .map((file) => fs.readFileSync(path.join(folder, file), "utf8").trim());
  return `${name} ${version} (${typeof license === "string" ? license : "see below"})\n\n${texts.join("\n\n")}\n`;
}
