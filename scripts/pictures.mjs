// Takes the pictures of the drift page that the docs show, from a sample report. Needs Chromium.
//   npm run pictures

import { mkdirSync, readFileSync, statSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

// The sample report is the tests' own, which is TypeScript.
const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true };
Module._extensions[".ts"] = (module, fileName) => {
  const { outputText } = ts.transpileModule(readFileSync(fileName, "utf8"), { fileName, compilerOptions: options });
  module._compile(outputText, fileName);
};

const require = createRequire(import.meta.url);
const { asHtml } = require("../provider/cli/drift/html.ts");
const { startChromium } = require("../tests/support/chromium.ts");
const { sampleReport } = require("../tests/support/drift-report.ts");

/** The most bytes of a picture. */
const MOST_BYTES = 200_000;

/** When the pictures are taken: the page says how old the report is. */
const NOW = "2026-10-08T03:31:00Z";

const DESKTOP = { viewport: { width: 1280, height: 1000 }, colorScheme: "light" };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, colorScheme: "dark" };

const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "docs", "pictures");
mkdirSync(folder, { recursive: true });
const browser = await startChromium();
try {
  await take("drift-fleet", DESKTOP);
  await take("drift-phone", PHONE);
  await take("drift-customer", DESKTOP, async (page) => {
    const customer = page.locator(".cards .stack", { hasText: "customer-058" });
    await customer.locator("summary").click();
    await page.mouse.move(0, 0);
    return customer;
  });
} finally {
  await browser.close();
}

/** Takes one picture: of what can be seen, or of the element that `prepare` returns. */
async function take(name, device, prepare = async () => undefined) {
  const page = await browser.newPage(device);
  await page.clock.setFixedTime(NOW);
  await page.route("**/*", (route) => route.fulfill({ contentType: "text/html", body: asHtml(sampleReport()) }));
  await page.goto("https://report.example/");
  const path = join(folder, `${name}.png`);
  const element = await prepare(page);
  await (element ?? page).screenshot({ path });
  await page.close();
  const { size } = statSync(path);
  process.stdout.write(`${path}: ${Math.round(size / 1000)} kB\n`);
  if (size > MOST_BYTES) {
    throw new Error(`${name}.png has ${size} bytes, more than ${MOST_BYTES}: show less of the page.`);
  }
}
