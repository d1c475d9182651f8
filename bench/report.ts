/** Turns the runs of results.jsonl into results.md. Where runs measured the same, the last one counts. */

/** A table row, by column. Null: not measured. */
export type Cells = Readonly<Record<string, string | number | null>>;

/** The tables, and how many of their first columns say what was measured. */
const TABLES = [
  { name: "operations", title: "Operations", keys: 4 },
  { name: "straightforward", title: "The straightforward provider", keys: 4 },
  { name: "native", title: "The native provider", keys: 4 },
  { name: "state", title: "Average bytes of a resource in the state", keys: 2 },
  { name: "loading", title: "Loading the package after @pulumi/pulumi", keys: 1 },
  { name: "listing", title: "Listing a large account", keys: 3 },
  { name: "fleet", title: "Drift of a fleet", keys: 3 },
] as const;
type Table = (typeof TABLES)[number];

/** A line of results.jsonl. */
export interface Run {
  readonly date: string;
  readonly command: string;
  readonly minutes: number;
  readonly machine: string;
  /** A run from before a table existed does not have it. */
  readonly tables: Readonly<Partial<Record<Table["name"], Cells[]>>>;
}

const EXPLANATION = `N is the number of customers. Each has a SipTrunk, an InboundAuth and a DispatchRule. Six subjects declare the same customers:

- *this package*;
- the *floor*: resources that do nothing, with as many and as long inputs and outputs as this package's;
- *own arguments*: resources that do nothing, with the program's arguments only;
- the *straightforward* provider: it calls livekit-server-sdk, and lists in every diff and read;
- the *native provider*, and *its floor*: a native provider that does nothing, with as many and as long properties.

In each round, all subjects run the same operation, one after the other. Times, ratios and differences are medians over the rounds.

- *command*: the number in the list above.
- *× floor*, *over floor*, *× own arguments*: this package compared with these subjects.
- *operation*: \`refresh\` is a preview with refresh; \`no-op\` is an \`up\` without changes. The other operations do not refresh.
- *saved once*: the engine writes its state only at the end (the CLI with PULUMI_SKIP_CHECKPOINTS). Otherwise the CLI writes the whole
  state after every step. That takes ten minutes for 3000 resources of any kind.
- *latency*: added to each call to LiveKit.
- *processor*: processor time of engine, program and provider host together. Other work on the machine affects it less than the time.
- *calls*: calls to LiveKit.
- *host*: peak memory of the provider host.
- *drift of a fleet*: \`livekit-sip drift\` of one stack per customer, which is in sync. The loop of previews one at a time is measured
  with the smallest fleet; over more stacks it takes as much longer as there are more.`;

interface Goal {
  readonly goal: string;
  /** Matches what the row measured. */
  readonly rows: RegExp;
  readonly column: string;
  readonly limit?: number | ((row: Cells) => number);
  /** The least that meets the goal, instead of a limit. */
  readonly least?: number;
  /** Why the goal is missed where it is. */
  readonly reason?: string;
}

const FOUR_CALLS =
  "Each customer takes four calls to LiveKit, which runs on the same cores. They hardly show when the state is saved after every step.";

const GOALS: readonly Goal[] = [
  {
    goal: "preview and refresh: at most 3 calls, and 3 more for each 1000 customers",
    rows: / (preview|refresh)$/,
    column: "calls",
    limit: ({ N }) => 3 + 3 * Math.floor(Number(N) / 1000),
  },
  {
    goal: "preview without latency: at most 1.10 × floor",
    rows: / 0 ms, preview$/,
    column: "× floor",
    limit: 1.1,
    reason:
      "Loading the package in the program and in the host takes the same time for any N. It shows below N = 1000.",
  },
  {
    goal: "preview with latency: at most floor + 2 s",
    rows: /[1-9]\d* ms, preview$/,
    column: "over floor, s",
    limit: 2,
  },
  {
    goal: "preview: at most 1.20 × own arguments",
    rows: / preview$/,
    column: "× own arguments",
    limit: 1.2,
    reason:
      "Pulumi takes time for each property of a resource. The floor has as many properties, and takes most of that time too.",
  },
  {
    goal: "native provider: preview at most 1.10 × its floor",
    rows: / preview$/,
    column: "× its floor",
    limit: 1.1,
  },
  { goal: "first up: at most 1.25 × floor", rows: / up/, column: "× floor", limit: 1.25, reason: FOUR_CALLS },
  {
    goal: "destroy without latency: at most 2 × floor",
    rows: / 0 ms, destroy/,
    column: "× floor",
    limit: 2,
    reason: FOUR_CALLS,
  },
  {
    goal: "drift of 300 stacks by their states: 1/200 of a loop of previews",
    rows: /stacks = 300, states of a file backend$/,
    column: "a loop of previews takes … times as long",
    least: 200,
  },
  {
    goal: "drift of 300 stacks through the CLI: 1/12 of a loop of previews",
    rows: /stacks = 300, states from pulumi stack export$/,
    column: "a loop of previews takes … times as long",
    least: 12,
  },
  {
    goal: "drift of 1000 stacks: at most 5 s",
    rows: /stacks = 1000, states of a file backend$/,
    column: "s",
    limit: 5,
  },
  { goal: "drift of a fleet: at most 400 MB", rows: /states of a file backend$/, column: "memory, MB", limit: 400 },
  {
    goal: "drift of a fleet: 3 calls, and 3 more for each 1000 stacks",
    rows: /states of a file backend$/,
    column: "calls",
    limit: ({ stacks }) => 3 + 3 * Math.floor(Number(stacks) / 1000),
  },
  { goal: "loading in the provider host: at most 150 ms", rows: /^provider host$/, column: "ms", limit: 150 },
  { goal: "`__provider`: at most 2000 bytes", rows: /this package$/, column: "longest `__provider`", limit: 2000 },
];

/** The whole of results.md. */
export function render(runs: readonly Run[]): string {
  const commands = runs.map(
    ({ date, command, minutes, machine }, index) => `${index + 1}. ${date}, \`${command}\`, ${minutes} min. ${machine}`,
  );
  const tables = TABLES.map((table) => ({ ...table, rows: latest(runs, table) }));
  const sections = [
    "# Benchmark",
    commands.join("\n"),
    EXPLANATION,
    ...goals(tables.flatMap(({ rows }) => [...rows])),
    ...tables.flatMap(({ title, rows }) => (rows.size > 0 ? [`## ${title}`, markdown([...rows.values()])] : [])),
  ];
  return `${sections.join("\n\n")}\n`;
}

/** The rows by what they measured, in order. */
function latest(runs: readonly Run[], table: Table): Map<string, Cells> {
  const rows = runs.flatMap((run, index) =>
    (run.tables[table.name] ?? []).map((row) => ({ ...row, command: index + 1 })),
  );
  const keyed = rows.map((row): [string, Cells] => {
    const key = Object.entries(row).slice(0, table.keys);
    return [key.map(([column, value]) => (typeof value === "number" ? `${column} = ${value}` : value)).join(", "), row];
  });
  return new Map([...new Map(keyed)].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true })));
}

function goals(rows: readonly [string, Cells][]): string[] {
  const reasons = new Set<string>();
  const checks = GOALS.flatMap((goal) =>
    rows.flatMap(([where, row]) => {
      const measured = row[goal.column];
      if (!goal.rows.test(where) || typeof measured !== "number") {
        return [];
      }
      const limit = typeof goal.limit === "function" ? goal.limit(row) : goal.limit;
      const isMissed = measured > (limit ?? Number.POSITIVE_INFINITY) || measured < (goal.least ?? 0);
      if (isMissed && goal.reason) {
        reasons.add(`- *${goal.goal}* is missed: ${goal.reason}`);
      }
      return [{ goal: goal.goal, where, measured: `${measured}`, "": isMissed ? "**missed**" : "met" }];
    }),
  );
  return ["## Goals", markdown(checks), [...reasons].join("\n")].filter(Boolean);
}

function markdown(rows: readonly Cells[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const hasFractions = (column: string) => rows.some((row) => typeof row[column] === "number" && row[column] % 1 !== 0);
  const fractions = new Set(columns.filter(hasFractions));
  const text = (row: Cells, column: string) => {
    const cell = row[column] ?? "–";
    return typeof cell === "number" && fractions.has(column) ? cell.toFixed(2) : String(cell);
  };
  const lines = [columns, columns.map(() => "---"), ...rows.map((row) => columns.map((column) => text(row, column)))];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
