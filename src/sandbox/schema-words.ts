import { en } from "zod/locales";

/** zod/mini comes without words for what is wrong; these are zod's own. */
export const IN_ENGLISH = { error: en().localeError };
