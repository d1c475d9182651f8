/** The languages of an import. */

import { go } from "./go";
import type { Language } from "./language";
import type { LanguageName } from "./names";
import { python } from "./python";
import { classes, typescript } from "./typescript";
import { yaml } from "./yaml";

/** What an import writes without `--language`: TypeScript with the classes of the npm package. */
export const CLASSES: Language = classes;

/** The values of `--language`. All of them use the native provider. */
export const LANGUAGES: Readonly<Record<LanguageName, Language>> = { typescript, go, python, yaml };
