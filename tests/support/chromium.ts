/** Debian's Chromium, for what a browser makes of a page. */

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

function executable(): string | undefined {
  const { PATH = "" } = process.env;
  return PATH.split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find(existsSync);
}

/** Whether Chromium is installed. If not, one line that says how to install it. */
export function chromiumAvailability(): { available: true } | { available: false; reason: string } {
  return executable()
    ? { available: true }
    : { available: false, reason: "install Chromium (Debian: apt-get install chromium)." };
}

/** Starts Chromium without a window. Its sandbox does not work for root, as in CI. */
export async function startChromium(): Promise<Browser> {
  const executablePath = executable();
  if (executablePath === undefined) {
    throw new Error("Chromium is not installed");
  }
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
}
