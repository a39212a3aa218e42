// How large the inputs of the longest tests are.

/**
 * Whether they have their full size, which takes minutes: `.ci/run` asks for it with `SIGNET_FULL_SIZE=1`. Without it they
 * are as large as their promise needs.
 */
export const fullSize = process.env.SIGNET_FULL_SIZE === "1";
