/** Runs the user's program in `@pulumi/pulumi`'s own runtime, exactly as the Pulumi CLI's language host does. */

import { type Child, startNode } from "./children";
import type { ConfigValue, Project } from "./project";

/** What the program is told about the stack and the operation. */
export interface ProgramInfo {
  stack: string;
  organization: string;
  config: Map<string, ConfigValue>;
  preview: boolean;
  parallel: number;
  /** Where the monitor and the engine listen. */
  address: string;
  env: NodeJS.ProcessEnv;
}

/** The exit code of a program that has already told the user what went wrong. */
const saidWhatIsWrong = 32;

/** A running program. */
export interface Program {
  /** Resolves when the program is over: "failed" if it reported the reason itself, an error if it did not. */
  readonly outcome: Promise<"succeeded" | "failed" | Error>;
  stop(): Promise<void>;
}

export function startProgram(project: Project, info: ProgramInfo, onOutput: (line: string) => void): Program {
  const args = [
    ...project.nodeArgs,
    project.sdk.runScript,
    ...["--monitor", info.address],
    ...["--engine", info.address],
    ...["--organization", info.organization],
    ...["--project", project.name],
    ...["--root-directory", project.rootDir],
    ...["--stack", info.stack],
    ...["--pwd", project.programDir],
    ...(info.preview ? ["--dry-run"] : []),
    ...["--parallel", String(info.parallel)],
    project.entryPoint,
  ];
  const child: Child = startNode(args, project.programDir, programEnv(project, info), { onLine: onOutput });
  const outcome = child.exited.then(
    (code) => {
      if (code === saidWhatIsWrong) {
        return "failed";
      }
      return code === 0
        ? "succeeded"
        : new Error(`an unhandled error occurred: Program exited with non-zero exit code: ${code ?? -1}`);
    },
    (error: unknown) => new Error(`an unhandled error occurred: ${String(error)}`),
  );
  return { outcome, stop: () => child.stop() };
}

function programEnv(project: Project, info: ProgramInfo): NodeJS.ProcessEnv {
  const config = [...info.config].map(([key, { value }]): [string, string] => {
    const colon = key.indexOf(":");
    return [`${key.slice(0, colon)}:config:${key.slice(colon + 1)}`, value];
  });
  const secretKeys = [...info.config].filter(([, { secret }]) => secret).map(([key]) => key);
  return {
    ...info.env,
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(config)),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(secretKeys),
    ...(project.typescript && { PULUMI_NODEJS_TYPESCRIPT: "true" }),
    ...(project.tsconfig && { PULUMI_NODEJS_TSCONFIG_PATH: project.tsconfig }),
  };
}
