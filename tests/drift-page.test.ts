/** The page of a drift report: as a document, and as Chromium shows it to people. */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import axe, { type AxeResults } from "axe-core";
import fc from "fast-check";
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";
import { asHtml } from "../provider/cli/drift/html";
import { type Report, SEVERITY_TITLES, type Severity } from "../provider/cli/drift/report";
import { chromiumAvailability, startChromium } from "./support/chromium";
import {
  anyReport,
  drifted,
  failed,
  HOSTILE,
  hostileReport,
  inSync,
  largeReport,
  reportOf,
  sampleReport,
  stackName,
} from "./support/drift-report";
import { allElements, elementsOf, parseMarkup } from "./support/markup";

describe("the document", () => {
  /** Every element and attribute that the page may have. */
  const ELEMENTS = new Set(
    [
      "html head meta title link style script body header main footer section div p h1 h2 h3 h4 ul li dl dt dd a b strong small span i bdi code del ins time",
    ]
      .concat(
        "details summary figure figcaption form label input select option output button svg defs symbol use path circle text",
      )
      .flatMap((names) => names.split(" ")),
  );
  const ATTRIBUTES = new Set(
    [
      "lang charset http-equiv content name rel href id class tabindex type for role placeholder autocomplete spellcheck value datetime open",
    ]
      .concat(
        "aria-label aria-labelledby aria-hidden aria-pressed data-state data-severity data-side data-since viewBox d x y cx cy r",
      )
      .flatMap((names) => names.split(" ")),
  );

  /** Fails unless the page is well-formed and consists of nothing but this package's own elements. */
  function expectOwnMarkup(report: Report) {
    const elements = allElements(parseMarkup(asHtml(report)));
    expect(elements.map(({ name }) => name).filter((name) => !ELEMENTS.has(name))).toEqual([]);
    expect(
      elements.flatMap(({ attributes }) => Object.keys(attributes)).filter((name) => !ATTRIBUTES.has(name)),
    ).toEqual([]);
    expect(
      elements.flatMap(({ attributes }) => attributes.href ?? []).filter((href) => !/^(#|data:image\/svg)/.test(href)),
    ).toEqual([]);
    const ids = elements.flatMap(({ attributes }) => attributes.id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const script = (page: string) => elementsOf(parseMarkup(page), "script").map(({ text }) => text);
    expect(script(asHtml(report))).toEqual(script(asHtml(sampleReport())));
  }

  it("is well-formed and has no markup but its own, whatever the names", () => {
    expectOwnMarkup(sampleReport());
    expectOwnMarkup(hostileReport());
    fc.assert(fc.property(anyReport(), expectOwnMarkup), { numRuns: 60 });
  });

  it("shows every name as it is, without invisible characters and characters that turn it around", () => {
    const names = elementsOf(parseMarkup(asHtml(hostileReport())), "h3").map(({ text }) => text);
    for (const name of HOSTILE.filter((it) => !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(it))) {
      expect(names).toContain(name);
    }
    expect(names).toContain("gnp.exe isolated");
    expect(asHtml(hostileReport())).not.toMatch(/[\p{Cf}\p{Cs}]|[^\P{Cc}\n]/u);
  });

  it("lets only its own style and script run, and loads nothing", () => {
    const root = parseMarkup(asHtml(sampleReport()));
    const policy =
      elementsOf(root, "meta").find(({ attributes }) => attributes["http-equiv"])?.attributes.content ?? "";
    const hash = (name: string) => {
      const [{ text } = { text: "" }] = elementsOf(root, name);
      return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    };
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src ${hash("style")};`);
    expect(policy).toContain(`script-src ${hash("script")};`);
    expect(policy).not.toContain("unsafe");
  });

  it("says so in its first line if nothing drifted, if a stack could not be checked, and if there was none", () => {
    const title = (report: Report) => elementsOf(parseMarkup(asHtml(report)), "h1")[0]?.text;
    expect(title(reportOf([inSync(1), inSync(2)]))).toBe("No drift in 2 stacks");
    expect(title(reportOf([inSync(1), failed(2, "No state.")]))).toBe(
      "No drift found, but 1 of 2 stacks could not be checked",
    );
    expect(title(reportOf([]))).toBe("There was no stack to check");
  });

  it("warns if the phone systems were not asked", () => {
    const [method] = elementsOf(parseMarkup(asHtml({ ...sampleReport(), phoneSystemsAsked: false })), "header");
    expect(method?.text).toContain(
      "The phone systems were not asked, so a credential that only a phone system rejects is not in this report.",
    );
  });

  it("stays small with a thousand stacks", () => {
    expect(asHtml(largeReport(1_000, 50)).length).toBeLessThan(400_000);
  });
});

(chromiumAvailability().available ? describe : describe.skip)("in Chromium", () => {
  const URL = "https://report.example/drift.html";
  const DESKTOP = { viewport: { width: 1280, height: 900 } } as const;
  const PHONE = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true } as const;

  let browser: Browser;
  const contexts: BrowserContext[] = [];
  /** What must not happen: dialogs, errors, requests other than for the page. */
  let incidents: string[] = [];

  beforeAll(async () => {
    browser = await startChromium();
  });

  afterAll(() => browser.close());

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    const seen = incidents;
    incidents = [];
    expect(seen).toEqual([]);
  });

  async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ ...DESKTOP, ...options });
    contexts.push(context);
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    page.on("dialog", (dialog) => {
      incidents.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("pageerror", ({ message }) => incidents.push(`error: ${message}`));
    page.on("console", (message) => {
      if (message.type() === "error") {
        incidents.push(`console: ${message.text()}`);
      }
    });
    return page;
  }

  /** Opens the page of a report. It is served without a server, and nothing else is. */
  async function open(
    report: Report,
    { hash = "", ...options }: BrowserContextOptions & { hash?: string } = {},
  ): Promise<Page> {
    const page = await newPage(options);
    await page.route("**/*", (route) => {
      if (route.request().url().split("#")[0] === URL) {
        return route.fulfill({ contentType: "text/html", body: asHtml(report) });
      }
      incidents.push(`request: ${route.request().url()}`);
      return route.abort();
    });
    await page.goto(`${URL}${hash}`);
    return page;
  }

  /** The text that people see, on one line. */
  async function shown(locator: Locator): Promise<string> {
    // biome-ignore lint/performance/useDomNodeTextContent: hidden text must not count, and line breaks are layout.
    return (await locator.innerText()).replace(/\s+/g, " ").trim();
  }

  const card = (page: Page, number: number) => page.locator(".cards .stack", { hasText: stackName(number) });
  const visibleNames = (page: Page, list = ".cards") =>
    page.locator(`${list} > .stack:not([hidden]) .path`).allInnerTexts();
  const names = (...numbers: number[]) => numbers.map(stackName);
  const title = (severity: Severity) => SEVERITY_TITLES[severity].toLowerCase();
  const hashOf = (page: Page) => decodeURIComponent(page.url().split("#")[1] ?? "");
  /** Waits until the page shows how many stacks fit. */
  const outcome = (page: Page, text: string) => page.getByRole("status").filter({ hasText: text }).first().waitFor();

  describe("what it shows", () => {
    it("shows the fleet at a glance: how many are in which state, and each as a cell", async () => {
      const page = await open(sampleReport());
      expect(await shown(page.getByRole("heading", { level: 1 }))).toBe("8 of 100 stacks drifted");
      expect(await page.locator(".tile").allInnerTexts()).toEqual([
        expect.stringMatching(/^8\s+Drifted\s+4 new findings$/),
        expect.stringMatching(/^2\s+Failed$/),
        expect.stringMatching(/^1\s+Not checked$/),
        expect.stringMatching(/^89\s+In sync$/),
      ]);
      await page
        .getByRole("img", {
          name: `100 stacks: 1 ${title("open")}, 2 ${title("rejected")}, 3 ${title("credential")}, 2 ${title("routing")}, 2 failed, 1 not checked, 89 in sync`,
        })
        .waitFor();
      expect(await page.locator(".strip i").count()).toBe(100);
    });

    it("says how old the report is, so that nobody trusts yesterday's", async () => {
      const page = await newPage();
      await page.clock.setFixedTime("2026-10-08T08:20:00Z");
      await page.route(URL, (route) => route.fulfill({ contentType: "text/html", body: asHtml(sampleReport()) }));
      await page.goto(URL);
      expect(await shown(page.locator("header"))).toContain("Checked 2026-10-08 03:12 UTC, 5 hours ago");
    });

    it("opens a customer: which side broke, the fingerprints, the plan, since when and the repair", async () => {
      const page = await open(sampleReport());
      const customer = card(page, 17);
      expect(await customer.locator(".plan").isVisible()).toBe(false);
      await customer.locator("summary").click();
      await customer
        .getByRole("img", {
          name: /LiveKit no longer has what the stack declares\. The phone system accepts the declared credential\./,
        })
        .waitFor();
      const text = await shown(customer.locator(".body"));
      expect(text).toContain("LiveKit differs: password changed outside Pulumi");
      expect(text).toMatch(
        /Fingerprint applied (\w{8}) Fingerprint found (?!\1)(\w{8}) ~ credentialFingerprint: "\2" => "\1"/,
      );
      expect(text).toContain("First seen 2026-10-05 03:10 UTC, 3 days before this check.");
      expect(text).toContain("pulumi up --stack acme/telephony/customer-017");
    });

    it("says that only the phone system can be repaired if it is the side that differs", async () => {
      const page = await open(sampleReport());
      await card(page, 23).locator("summary").click();
      const text = await shown(card(page, 23));
      expect(text).toContain("The phone system does not accept what the stack declares.");
      expect(text).toContain("No command can change the phone system.");
      expect(await card(page, 23).getByRole("button").count()).toBe(0);
    });

    it("lists failed and unchecked stacks with the reason, unmanaged objects and what is resolved", async () => {
      const page = await open(sampleReport());
      const section = (name: RegExp) => shown(page.getByRole("region", { name }));
      expect(await section(/^Failed 2$/)).toContain(
        "customer-030 The state of acme/telephony/customer-030 is not a state",
      );
      expect(await section(/^Failed 2$/)).toMatch(
        /The last check that reached it found SipTrunk reception: inbound trunk \S+ is gone \(for 2 days\)\./,
      );
      expect(await section(/^Not checked 1$/)).toContain("It has no SipTrunk, InboundAuth or DispatchRule.");
      expect(await section(/^On LiveKit, in no stack 2$/)).toContain("test by Jo inbound trunk ST_4kQe1mLpXw");
      expect(await section(/^Resolved since the previous report 2$/)).toContain(
        "customer-044 InboundAuth office: allowedAddresses",
      );
    });

    it("leads from a shared cause to its stacks", async () => {
      const page = await open(sampleReport());
      const causes = page.getByRole("region", { name: /^Shared causes/ });
      await causes.locator("summary", { hasText: "SipTrunk: password changed" }).click();
      await causes.getByRole("link", { name: stackName(58) }).click();
      expect(await card(page, 58).locator(".plan").first().isVisible()).toBe(true);
    });

    it("opens the only drifted stack by itself", async () => {
      const page = await open(reportOf([drifted(1, "trunk"), inSync(2)]));
      expect(await card(page, 1).locator(".plan").isVisible()).toBe(true);
    });

    it("leads from a cell to its stack, also to one in sync", async () => {
      const page = await open(sampleReport());
      await page.locator(".strip i").nth(7).click();
      expect(await card(page, 89).locator(".plan").isVisible()).toBe(true);
      await page.locator(".strip i").nth(99).hover();
      expect(await page.locator(".strip i").nth(99).getAttribute("title")).toBe(stackName(100));
      await page.locator(".strip i").nth(99).click();
      expect(await page.locator(".names .stack", { hasText: stackName(100) }).isVisible()).toBe(true);
    });
  });

  describe("filter and sort", () => {
    it("filters by text, severity, state and side, and says how many are left", async () => {
      const page = await open(sampleReport());
      await page.getByLabel("Severity", { exact: true }).selectOption("credential");
      await outcome(page, "3 of 100 stacks shown");
      expect(await visibleNames(page)).toEqual(names(17, 58, 66));
      await page.getByLabel("Severity", { exact: true }).selectOption("");
      await page.getByLabel("Side").selectOption("phone-system");
      await outcome(page, "2 of 100 stacks shown");
      expect(await visibleNames(page)).toEqual(names(23, 72));
      await page.getByLabel("Search").fill("CUSTOMER-072 rejects");
      await outcome(page, "1 of 100 stacks shown");
      await page.getByRole("button", { name: "Clear" }).click();
      await outcome(page, "100 stacks");
      await page.getByLabel("State").selectOption("failed");
      await outcome(page, "2 of 100 stacks shown");
      expect(await page.getByRole("region", { name: /^(Drifted|Not checked|In sync)/ }).count()).toBe(0);
    });

    it("finds a stack that is in sync", async () => {
      const page = await open(sampleReport());
      await page.getByLabel("Search").fill("customer-099");
      await outcome(page, "1 of 100 stacks shown");
      expect(await page.locator(".names .stack", { hasText: stackName(99) }).isVisible()).toBe(true);
    });

    it("finds nothing without an error", async () => {
      const page = await open(sampleReport());
      await page.getByLabel("Search").fill("no such customer");
      await outcome(page, "0 of 100 stacks shown");
    });

    it("sorts by name and by when drift was first seen", async () => {
      const page = await open(sampleReport());
      expect((await visibleNames(page)).slice(0, 4)).toEqual(names(7, 23, 72, 17));
      await page.getByLabel("Sort by").selectOption("name");
      await page.waitForURL(/sort=name/);
      expect(await visibleNames(page)).toEqual(names(7, 17, 23, 41, 58, 66, 72, 89));
      await page.getByLabel("Sort by").selectOption("oldest");
      await page.waitForURL(/sort=oldest/);
      expect((await visibleNames(page))[0]).toBe(stackName(72));
      await page.getByLabel("Sort by").selectOption("newest");
      await page.waitForURL(/sort=newest/);
      expect((await visibleNames(page)).at(-1)).toBe(stackName(72));
      await page.getByLabel("Sort by").selectOption("");
      await page.waitForURL((url) => url.hash === "");
      expect((await visibleNames(page)).slice(0, 4)).toEqual(names(7, 23, 72, 17));
    });

    it("keeps the filter in the address, so that it can be linked", async () => {
      const page = await open(sampleReport());
      await page.getByLabel("Search").fill("pulumi & co");
      await page.getByLabel("Search").fill("changed outside");
      await page.getByLabel("Sort by").selectOption("name");
      await page.waitForURL(/sort=name/);
      expect(hashOf(page)).toBe("q=changed+outside&sort=name");
      const linked = await open(sampleReport(), { hash: `#${page.url().split("#")[1]}` });
      expect(await visibleNames(linked)).toEqual(names(7, 17, 58, 66));
      expect(await linked.getByLabel("Search").inputValue()).toBe("changed outside");
    });

    it("ignores what a link says that the page does not know", async () => {
      const page = await open(sampleReport(), {
        hash: "#severity=%3Cscript%3E&sort=constructor&state=failed&__proto__=x",
      });
      await outcome(page, "2 of 100 stacks shown");
      expect(await page.getByLabel("Sort by").inputValue()).toBe("");
    });

    it("opens the stack that the address names, even if the filter hides it", async () => {
      const page = await open(sampleReport(), { hash: "#stack-acme-telephony-customer-066" });
      expect(await card(page, 66).locator(".plan").isVisible()).toBe(true);
      await page.getByLabel("State").selectOption("failed");
      await outcome(page, "2 of 100 stacks shown");
      await page
        .getByRole("region", { name: /^Shared causes/ })
        .locator("summary", { hasText: "SipTrunk: password changed" })
        .click();
      await page.getByRole("link", { name: stackName(17) }).click();
      expect(await card(page, 17).locator(".plan").isVisible()).toBe(true);
    });

    it("works from a file, where pages have fewer rights", async () => {
      const folder = mkdtempSync(join(tmpdir(), "pulumi-livekit-sip-page-"));
      try {
        const file = join(folder, "drift.html");
        writeFileSync(file, asHtml(sampleReport()));
        const page = await newPage();
        await page.goto(pathToFileURL(file).href);
        await page.getByLabel("State").selectOption("failed");
        await page.waitForURL(/#state=failed$/);
        await page.getByRole("button", { name: "Theme: system" }).click();
        await page.getByRole("button", { name: "Theme: light" }).waitFor();
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it("opens and closes all", async () => {
      const page = await open(sampleReport());
      await page.getByRole("button", { name: "Open all" }).click();
      expect(await page.locator(".cards details[open]").count()).toBe(8);
      await page.getByRole("button", { name: "Close all" }).click();
      expect(await page.locator(".cards details[open]").count()).toBe(0);
    });
  });

  describe("for everyone", () => {
    it("can be used with the keyboard alone, up to the copied command", async () => {
      const page = await open(sampleReport(), { permissions: ["clipboard-read", "clipboard-write"] });
      await page.keyboard.press("Tab");
      expect(await shown(page.locator(":focus"))).toBe("Skip to the stacks");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      await page.keyboard.type("customer-017");
      await outcome(page, "1 of 100 stacks shown");
      // State, severity, side, sort, clear, open all, the stack.
      for (let count = 0; count < 7; count++) {
        await page.keyboard.press("Tab");
      }
      expect(await shown(page.locator("summary:focus"))).toContain(stackName(17));
      expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Tab");
      expect(await page.locator(":focus").getAttribute("aria-label")).toBe(
        `Copy the command that repairs ${stackName(17)}`,
      );
      await page.keyboard.press("Enter");
      await page.getByRole("status").filter({ hasText: "The command was copied." }).waitFor({ state: "attached" });
      expect(await page.evaluate("navigator.clipboard.readText()")).toBe(`pulumi up --stack ${stackName(17)}`);
    });

    it("copies or selects the command where the clipboard is not allowed", async () => {
      const page = await open(sampleReport());
      await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
      await card(page, 7).locator("summary").click();
      await card(page, 7).getByRole("button").click();
      await page
        .getByRole("status")
        .filter({ hasText: /^The command (was copied|is selected)/ })
        .waitFor({ state: "attached" });
      expect(await page.evaluate("String(getSelection())")).toBe(`pulumi up --stack ${stackName(7)}`);
    });

    const background = (page: Page) => page.evaluate("getComputedStyle(document.body).backgroundColor");

    it("follows the system's theme until someone chooses one, and remembers the choice", async () => {
      const page = await open(sampleReport(), { colorScheme: "dark" });
      const dark = await background(page);
      await page.getByRole("button", { name: "Theme: system" }).click();
      await page.getByRole("button", { name: "Theme: light" }).waitFor();
      expect(await background(page)).not.toBe(dark);
      await page.reload();
      expect(await page.getByRole("button", { name: "Theme: light" }).count()).toBe(1);
      expect(await background(page)).not.toBe(dark);
      await page.getByRole("button", { name: "Theme: light" }).click();
      await page.emulateMedia({ colorScheme: "light" });
      expect(await background(page)).toBe(dark);
    });

    const reports = {
      sample: sampleReport(),
      hostile: hostileReport(),
      "nothing drifted": reportOf([inSync(1), inSync(2)]),
      empty: reportOf([]),
    };

    it.each(Object.entries(reports))("fits a phone and a desktop, all stacks open: %s", async (_, report) => {
      for (const device of [PHONE, DESKTOP]) {
        const page = await open(report, device);
        await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(device.viewport.width);
      }
    });

    describe.each(Object.entries(reports))("axe finds nothing: %s", (_, report) => {
      it.each(["light", "dark"] as const)("%s", async (colorScheme) => {
        for (const device of [PHONE, DESKTOP]) {
          const page = await newPage({ ...device, colorScheme, reducedMotion: "reduce" });
          await page.route(URL, (route) => route.fulfill({ contentType: "text/html", body: asHtml(report) }));
          // The page's policy lets no script in later.
          await page.addInitScript({ content: axe.source });
          await page.goto(URL);
          expect(await violations(page)).toEqual([]);
          await page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
          expect(await violations(page)).toEqual([]);
        }
      });
    });

    async function violations(page: Page): Promise<string[]> {
      const result: AxeResults = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
      return result.violations
        .slice(0, 5)
        .flatMap(({ id, nodes }) =>
          nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary}`),
        );
    }

    it("has landmarks, and headings in order", async () => {
      const page = await open(sampleReport());
      for (const role of ["banner", "main", "contentinfo", "search"] as const) {
        expect(await page.getByRole(role).count()).toBe(1);
      }
      const levels: number[] = await page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map(({ localName }) => Number(localName[1]))",
      );
      expect(new Set(levels)).toEqual(new Set([1, 2, 3, 4]));
      expect(levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1)).toEqual([]);
    });

    it("moves nothing for people who want no motion", async () => {
      const page = await open(sampleReport(), { reducedMotion: "reduce" });
      expect(
        await page.evaluate(
          "getComputedStyle(document.querySelector('.cards summary'), '::before').transitionDuration",
        ),
      ).toBe("0s");
    });

    it("is complete without JavaScript, and shows no control that would do nothing", async () => {
      const page = await open(sampleReport(), { javaScriptEnabled: false });
      expect(await page.getByRole("button").count()).toBe(0);
      expect(await page.getByRole("search").count()).toBe(0);
      await card(page, 17).locator("summary").click();
      expect(await shown(card(page, 17))).toContain("pulumi up --stack acme/telephony/customer-017");
      await page.locator("summary", { hasText: "Show the names" }).click();
      expect(await page.getByText("customer-099").isVisible()).toBe(true);
    });

    it("prints everything in the light theme, without controls", async () => {
      const page = await open(sampleReport(), { colorScheme: "dark" });
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      for (const stack of await page.locator(".cards .stack").all()) {
        expect(await stack.locator(".finding").first().isVisible()).toBe(true);
      }
      expect(await page.locator(".names .stack").first().isVisible()).toBe(true);
      expect(await page.getByRole("button").count()).toBe(0);
      expect(await page.getByRole("search").count()).toBe(0);
      expect(await page.evaluate("getComputedStyle(document.body).color")).toBe("rgb(23, 27, 33)");
      const pdf = await page.pdf({ format: "A4" });
      expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
      expect(await page.locator(".cards details[open]").count()).toBe(0);
    });
  });

  describe("with hostile names", () => {
    it("runs nothing of theirs, asks for nothing, and shows them as text", async () => {
      const page = await open(hostileReport());
      await page.getByRole("button", { name: "Open all" }).click();
      const shown = await page.locator(".cards .path").allInnerTexts();
      expect(shown).toEqual(
        expect.arrayContaining(["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "::error::owned"]),
      );
      expect(await page.locator("img:not(.strip), iframe, object, embed, base").count()).toBe(0);
      expect(await page.locator("script").count()).toBe(1);
      await page.getByLabel("Search").fill("<script>alert(1)");
      await page.waitForURL(/q=/);
      await page.evaluate("new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))");
    });

    it("would notice: a page that lets a name through asks for its picture", async () => {
      const page = await newPage();
      const asked: string[] = [];
      await page.route("**/*", (route) => {
        asked.push(route.request().url());
        return route.request().url() === URL
          ? route.fulfill({ contentType: "text/html", body: '<p>"><img src=x onerror=alert(1)>' })
          : route.abort();
      });
      await page.goto(URL);
      expect(asked).toContain("https://report.example/x");
      expect(incidents).toContain("dialog: 1");
      incidents = [];
    });
  });

  describe("with a thousand stacks", () => {
    it("is ready and filters without a wait that anybody notices", async () => {
      const page = await open(largeReport(1_000, 50), PHONE);
      const ready = await page.evaluate("performance.timing.domContentLoadedEventEnd - performance.timing.responseEnd");
      expect(ready).toBeLessThan(2_000);
      const filtering = await page.evaluate(`new Promise((resolve) => {
        const q = document.getElementById("q");
        const start = performance.now();
        q.value = "customer-9";
        q.dispatchEvent(new Event("input", { bubbles: true }));
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - start)));
      })`);
      expect(filtering).toBeLessThan(1_000);
      await outcome(page, "100 of 1,000 stacks shown");
    });
  });
});
