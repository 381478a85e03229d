/** What a block of one profile is called, by what it is to the profile. */
export type HclNamer = (label: string) => string;

/** Names that carry the profile's, so that what is written for several profiles can stand in one directory. */
export function hclNamer(profileName: string): HclNamer {
  const prefix = profileName.replace(/\W/g, "_").replace(/^(?=\d)/, "_");
  return (label) => `${prefix}_${label}`;
}

/**
 * Lines for the header. A directory has one block that requires providers, and hashicorp's own are found without one, so
 * that none is written.
 */
export function providerLines(providers: readonly { readonly source: string; readonly from: string }[]): string[] {
  const names = providers.map(({ source, from }) => `${source} (${from} or later)`);
  return ["", `For ${names.join(" and ")}.`, "Several profiles go into one directory, each in a file of its own."];
}
