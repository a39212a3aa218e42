// The size of the longest tests.

/**
 * Whether the longest tests run at full size, which takes minutes. `.ci/run` sets `SIGNET_FULL_SIZE=1`. Without it they have the
 * smallest size that proves the same.
 */
export const fullSize = process.env.SIGNET_FULL_SIZE === "1";
