import { readdirSync } from "node:fs";
import { basename, extname } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import * as service from "@pulumi/pulumiservice";

// Settings of Pulumi Deployments for the stack of each customer: a preview on a pull request that touches the customer, `pulumi up` on a
// merge, and drift detection every night. It is a stack of its own, in the folder `deployments` of the fleet's repository. It holds no secret:
// each Pulumi.<customer>.yaml names the environment of Pulumi ESC with LiveKit's key and the customer's password.
const config = new pulumi.Config();
const organization = pulumi.getOrganization();
/** The fleet's repository on GitHub, for example acme/fleet. */
const repository = config.require("repository");
const customers = readdirSync("../customers").filter((file) => /\.ya?ml$/.test(file));

for (const file of customers) {
  const stack = basename(file, extname(file));
  const settings = new service.DeploymentSettings(stack, {
    organization,
    project: "fleet",
    stack,
    sourceContext: { git: { branch: "refs/heads/main" } },
    vcs: {
      provider: "github",
      repository,
      previewPullRequests: true,
      deployCommits: true,
      // The customer's own files, and what every customer shares.
      paths: [
        `customers/${file}`,
        `Pulumi.${stack}.yaml`,
        "Pulumi.yaml",
        "index.ts",
        "package.json",
        "package-lock.json",
      ],
    },
    cacheOptions: { enable: true },
  });
  new service.DriftSchedule(
    stack,
    // Everybody looks at drift before it is overwritten: it may be a change that nobody has written down yet.
    { organization, project: "fleet", stack, scheduleCron: "17 3 * * *", autoRemediate: false },
    { dependsOn: settings },
  );
}
