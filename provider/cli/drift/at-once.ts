/** Runs the steps of a check, some of them at the same time, and shows how far it is. */

import { bulkhead } from "cockatiel";

/** Runs one of the steps once there is room for it. */
export type Step = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * @param most how many steps run at the same time
 * @param total how many there are
 */
export function atOnce(most: number, total: number, onProgress: (done: number, total: number) => void): Step {
  const places = bulkhead(most, Number.POSITIVE_INFINITY);
  let done = 0;
  return (work) =>
    places.execute(async () => {
      try {
        return await work();
      } finally {
        done += 1;
        onProgress(done, total);
      }
    });
}
