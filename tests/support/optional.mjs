// What a test may need besides Rust and Node.

const { CI, SIGNET_REQUIRE_ALL } = process.env;

/** Whether everything optional must be there: a missing piece then fails its tests instead of skipping them. */
export const requireAll = SIGNET_REQUIRE_ALL === "1" || CI === "true";

/** The `skip` option of tests that need something, of which `missing` says what is wrong, if anything. */
export const skipIf = (missing) => (missing && !requireAll ? missing : false);
