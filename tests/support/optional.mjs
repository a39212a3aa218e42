// Programs that some tests need besides Rust and Node.

const { CI, SIGNET_REQUIRE_ALL } = process.env;

/** Whether a missing program fails the tests that need it, instead of skipping them. */
export const requireAll = SIGNET_REQUIRE_ALL === "1" || CI === "true";

/** The `skip` option of tests that need a program. `missing` says what is missing, if anything. */
export const skipIf = (missing) => (missing && !requireAll ? missing : false);
