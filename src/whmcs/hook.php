<?php
/**
 * Synchronizes Signet's accounts with WHMCS's clients.
 *
 * Copy this file to includes/hooks/signet.php in WHMCS's directory, and put _signet_config.php beside it:
 *
 *     <?php return ['address' => 'https://sso.example.com', 'token' => 'the administration token'];
 *
 * (WHMCS runs no hook file whose name begins with an underscore.)
 *
 * On every event about a client, the hook sends the status of the client, then the changes in its services and domains, which it
 * reads from WHMCS's local API. It writes each failure to the activity log and never passes one on to WHMCS. The daily cron job
 * sends all clients again.
 */

namespace Signet;

if (!defined('WHMCS')) {
    die('This file cannot be accessed directly');
}

/** The file with Signet's address and the administration token. */
const CONFIG = __DIR__ . '/_signet_config.php';
/** The number of entries in a request to WHMCS, and of clients in a request to Signet. */
const PAGE = 100;
/** The number of services and domains in a request. Each new service costs Signet a write to KV. */
const PART = 500;
/** The timeout of a connection. */
const CONNECT_SECONDS = 2;
/** The timeout of all requests of an event. */
const EVENT_SECONDS = 5;
/** The timeout of a request of the daily cron job. */
const JOB_SECONDS = 60;
/** The greatest length of an answer. The largest account has 1.7 million bytes. */
const ANSWER_BYTES_MAX = 2097152;
/** The greatest length of a message in the activity log. */
const NOTE_BYTES_MAX = 300;
/** The beginning of a message about a deletion. The daily cron job finds failed deletions by it. */
const DELETION = 'deletion of client';

// ---- Signet -----------------------------------------------------------------------------------------------------------------

/** A client of Signet's administration API. */
final class Administration
{
    private $address;
    private $token;
    private $curl;

    /** @throws \RuntimeException if the configuration is missing or invalid. The message does not quote it. */
    public function __construct()
    {
        ob_start(); // PHP prints a file that does not begin with <?php
        try {
            $config = is_file(CONFIG) ? include CONFIG : null;
        } catch (\Throwable $invalid) {
            $config = null;
        } finally {
            ob_end_clean();
        }
        $config = is_array($config) ? $config : [];
        $this->address = rtrim((string) ($config['address'] ?? ''), '/');
        $this->token = (string) ($config['token'] ?? '');
        $isPrivate = preg_match('~^(https://[\w.:\[\]-]+|http://(localhost|127\.0\.0\.1)(:\d+)?)$~D', $this->address);
        if (!$isPrivate || !preg_match('/^[\x21-\x7e]+$/D', $this->token)) {
            throw new \RuntimeException(basename(CONFIG) . ' does not return an https address and a token');
        }
        $this->curl = curl_init();
    }

    /**
     * Sends a request, and returns the status and the body of the answer.
     *
     * @throws \RuntimeException if the status is not one of those expected, or there is no answer in time.
     */
    public function send(string $method, string $path, array $expected, string $body, string $type, float $seconds): array
    {
        list($status, $answer) = $this->exchange($method, $path, $body, $type, $seconds);
        if (in_array($status, $expected, true)) {
            return [$status, $answer];
        }
        $problem = json_decode($answer, true);
        $detail = is_array($problem) && is_string($problem['detail'] ?? null) ? ": {$problem['detail']}" : '';
        throw new \RuntimeException($this->withoutToken("Signet answered {$status}{$detail}"));
    }

    private function exchange(string $method, string $path, string $body, string $type, float $seconds): array
    {
        $answer = '';
        curl_reset($this->curl); // keeps the connections
        curl_setopt_array($this->curl, [
            CURLOPT_URL => "{$this->address}/admin/v1/{$path}",
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_HTTPHEADER => ["Authorization: Bearer {$this->token}", "Content-Type: {$type}", 'Expect:'],
            CURLOPT_POSTFIELDS => $body,
            CURLOPT_CONNECTTIMEOUT => CONNECT_SECONDS,
            CURLOPT_TIMEOUT_MS => (int) ceil($seconds * 1000),
            CURLOPT_NOSIGNAL => true,
            CURLOPT_WRITEFUNCTION => function ($curl, $chunk) use (&$answer) {
                $answer .= $chunk;
                return strlen($answer) > ANSWER_BYTES_MAX ? 0 : strlen($chunk); // 0 aborts the request
            },
        ]);
        if (!curl_exec($this->curl)) {
            throw new Unreachable($this->withoutToken('Signet cannot be reached: ' . curl_error($this->curl)));
        }
        return [curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE), $answer];
    }

    /** Removes the token from a text from outside, for the log. */
    public function withoutToken(string $text): string
    {
        return str_replace($this->token, '(token)', $text);
    }
}

/** There was no answer from Signet. */
final class Unreachable extends \RuntimeException
{
}

/** Signet's accounts. */
final class Accounts
{
    private $administration;
    /** Whether Signet was unreachable. Then later events of this PHP process do not wait for it. */
    private $isUnreachable = false;
    /** The time that the event may still wait for Signet; null in the daily cron job. */
    private static $secondsLeft;
    /** The clients that were deleted in this PHP process, as keys. */
    private $deleted = [];
    /** The number of clients that Signet refused in this daily cron job. */
    private $refused = 0;

    public static function startEvent(): void
    {
        self::$secondsLeft = EVENT_SECONDS;
    }

    /** Starts the daily cron job, which tries Signet again. */
    private function startJob(): void
    {
        self::$secondsLeft = null;
        $this->isUnreachable = false;
    }

    /** Sends a request, and returns the status and the decoded body of the answer. */
    private function send(string $method, string $path, array $expected, array $body = []): array
    {
        if ($this->isUnreachable) {
            throw new \RuntimeException('Signet could not be reached a moment ago');
        }
        $seconds = self::$secondsLeft ?? JOB_SECONDS;
        if ($seconds <= 0) {
            throw new \RuntimeException('it took too long; the daily cron job sends the rest');
        }
        $start = microtime(true);
        try {
            $json = $body ? json_encode($body) : '';
            list($status, $answer) =
                $this->administration()->send($method, $path, $expected, $json, 'application/json', $seconds);
            return [$status, json_decode($answer, true)];
        } catch (Unreachable $failure) {
            $this->isUnreachable = true;
            throw $failure;
        } finally {
            if (self::$secondsLeft !== null) {
                self::$secondsLeft -= max(0, microtime(true) - $start);
            }
        }
    }

    private function administration(): Administration
    {
        return $this->administration = $this->administration ?? new Administration();
    }

    /**
     * Sends a client, and returns whether its account is complete. `$event` has the fields of an event, `$gone` the service or
     * domain that is being deleted. The status is sent first, so a client is closed even if WHMCS cannot list its services.
     * Failures are logged; the daily cron job sends all clients again.
     */
    public function put(int $client, array $event = [], array $gone = []): bool
    {
        if (isset($this->deleted[$client])) {
            return false;
        }
        $account = null;
        try {
            $sent = state($event);
            if ($sent) { // before anything is read from WHMCS
                $account = $this->patch($client, $sent);
            }
            $details = details($client);
            if ($details === null) {
                throw new \RuntimeException('WHMCS has no such client');
            }
            $state = state($event, $details);
            if ($state && $state !== $sent) {
                $account = $this->patch($client, $state);
            }
            check_status($state);
            $account = $account ?? $this->create($client, $state);
            foreach (changes($account, lists($client, $gone)) as $change) {
                $this->send('PATCH', "users/{$client}", [200], $change);
            }
            return true;
        } catch (\Throwable $failure) {
            $whole = $account === null ? '' : ' whole';
            note("client {$client} was not sent{$whole}: {$failure->getMessage()}", $client);
            return false;
        }
    }

    /** Changes an account and returns it, or null if there is none. */
    private function patch(int $client, array $change): ?array
    {
        list($status, $account) = $this->send('PATCH', "users/{$client}", [200, 404], $change);
        return $status === 200 ? (array) $account : null;
    }

    /** Creates an account without services and domains, and returns it. */
    private function create(int $client, array $state): array
    {
        return (array) $this->send('PUT', "users/{$client}", [200, 201], $state)[1];
    }

    /** Deletes the account. A failure is logged, and the daily cron job repeats the deletion. */
    public function delete(int $client, bool $isRepeated = false): void
    {
        $this->deleted[$client] = true;
        try {
            $this->send('DELETE', "users/{$client}", [204, 404]);
            if ($isRepeated) {
                note(DELETION . " {$client} repeated");
            }
        } catch (\Throwable $failure) {
            note(DELETION . " {$client} failed: {$failure->getMessage()}");
        }
    }

    /** Repeats the deletions that failed, unless WHMCS still has the client. */
    public function repeatDeletions(): void
    {
        $this->startJob();
        foreach (failed_deletions() as $client) {
            if (details($client) === null) {
                $this->delete($client, true);
            }
        }
    }

    /** Sends all clients in pages. Clients with long lists, or whose lists cannot be read, are sent one by one. */
    public function putAll(): void
    {
        $this->startJob();
        $lines = [];
        $sent = 0;
        $this->refused = 0;
        foreach (rows('GetClients', ['orderby' => 'id'], 'clients', 'client') as $row) {
            $client = (int) $row['id'];
            try {
                $details = details($client);
                if ($details === null) {
                    continue; // it was deleted meanwhile
                }
                $state = state([], $details);
                check_status($state);
                $account = $state + lists($client, [], PART);
                $lines[$client] = json_encode(['user_id' => (string) $client, 'account' => $account]);
                $sent++;
            } catch (\Throwable $failure) {
                $sent += (int) $this->put($client); // logs failures
            }
            if (count($lines) === PAGE) {
                $this->import($lines);
                $lines = [];
            }
        }
        $this->import($lines);
        note("everybody was sent: {$sent} clients, {$this->refused} refused");
    }

    /**
     * Sends lines, whose keys are the ids of the clients. If Signet stops at Cloudflare's limits for a request, the other lines
     * are sent in another request. A request that fails is repeated once.
     */
    private function import(array $lines): void
    {
        $failures = 0;
        while ($lines) {
            try {
                $lines = $this->importOnce($lines);
                $failures = 0;
            } catch (\RuntimeException $failure) {
                if (++$failures === 2) {
                    throw $failure;
                }
            }
        }
    }

    /** Sends lines, and returns those that Signet did not process. */
    private function importOnce(array $lines): array
    {
        $body = implode("\n", $lines) . "\n";
        $administration = $this->administration();
        list(, $answer) = $administration->send('POST', 'import', [200], $body, 'application/x-ndjson', JOB_SECONDS);
        $clients = array_keys($lines);
        foreach (explode("\n", $answer) as $line) {
            $report = json_decode($line, true);
            if (isset($report['done'])) {
                return [];
            }
            if (isset($report['refused'])) {
                $client = $clients[$report['refused']['line'] - 1] ?? 0;
                $this->refused++;
                $reason = $administration->withoutToken((string) $report['refused']['reason']);
                note("client {$client} was refused: {$reason}", $client);
            }
            $next = $report['stopped']['line'] ?? 0;
            if ($next > 1) {
                return array_slice($lines, $next - 1, null, true);
            }
            if ($next === 1) {
                $reason = $administration->withoutToken((string) $report['stopped']['reason']);
                throw new \RuntimeException("Signet stopped: {$reason}");
            }
        }
        throw new \RuntimeException('Signet broke off');
    }
}

// ---- WHMCS ------------------------------------------------------------------------------------------------------------------

/** Writes to WHMCS's activity log, in plain ASCII. */
function note(string $text, int $client = 0): void
{
    try {
        logActivity(substr(preg_replace('/[^\x20-\x7e]+/', '?', "Signet: {$text}"), 0, NOTE_BYTES_MAX), $client);
    } catch (\Throwable $failure) {
        // There is no other log.
    }
}

/**
 * Reads the entries that WHMCS's local API lists under `$list` and `$entry`, in pages.
 *
 * @throws \RuntimeException if it cannot read all entries, or there are more than `$most`. A list that was read in part would
 * remove services from the account.
 */
function rows(string $command, array $parameters, string $list, string $entry, int $most = PHP_INT_MAX): \Generator
{
    $start = 0;
    do {
        $answer = localAPI($command, $parameters + ['limitstart' => $start, 'limitnum' => PAGE]);
        if (($answer['result'] ?? '') !== 'success' || !isset($answer['totalresults'])) {
            throw new \RuntimeException("{$command} failed: " . ($answer['message'] ?? 'no message'));
        }
        if ((int) $answer['totalresults'] > $most) {
            throw new \RuntimeException("{$command} lists more than {$most} entries");
        }
        $rows = entries($answer, $list, $entry);
        yield from $rows;
        $start += count($rows);
        if (!$rows && $start < (int) $answer['totalresults']) {
            throw new \RuntimeException("{$command} listed {$start} of {$answer['totalresults']} entries");
        }
    } while ($start < (int) $answer['totalresults']);
}

/** The entries of an answer. WHMCS nests them, but its reference shows flat names for GetClientsDomains. */
function entries(array $answer, string $list, string $entry): array
{
    if (is_array($answer[$list][$entry] ?? null)) {
        return array_values($answer[$list][$entry]);
    }
    $entries = [];
    foreach ($answer as $name => $value) {
        if (preg_match("/^{$list}\[{$entry}\]\[(\d+)\]\[(\w+)\]$/D", (string) $name, $found)) {
            $entries[$found[1]][$found[2]] = $value;
        }
    }
    return array_values($entries);
}

/** The details of a client in WHMCS, or null if there is no such client. */
function details(int $client): ?array
{
    $answer = localAPI('GetClientsDetails', ['clientid' => $client]);
    if (($answer['result'] ?? '') === 'success') {
        return $answer['client'];
    }
    if (($answer['message'] ?? '') === 'Client Not Found') {
        return null;
    }
    throw new \RuntimeException('GetClientsDetails failed: ' . ($answer['message'] ?? 'no message'));
}

/**
 * The fields `status` and `sso` of the account. A field of the event takes precedence over the details that WHMCS has stored.
 * `sso` is only sent as false: if WHMCS allows single sign-on, the choice of the user at Signet remains. A status that Signet does
 * not know is omitted.
 */
function state(array $event, array $details = []): array
{
    $status = $event['status'] ?? $details['status'] ?? null;
    $isOff = function ($switch) {
        return in_array($switch, [false, 0, '0'], true);
    };
    return (in_array($status, ['Active', 'Inactive', 'Closed'], true) ? ['status' => $status] : [])
        + ($isOff($event['allow_sso'] ?? null) || $isOff($details['allowSingleSignOn'] ?? null) ? ['sso' => false] : []);
}

/** @throws \RuntimeException if the state has no status. */
function check_status(array $state): void
{
    if (!isset($state['status'])) {
        throw new \RuntimeException('the status of the client is unknown to Signet');
    }
}

/**
 * The ids of the services and domains of a client, with any status, except one that is being deleted.
 *
 * @throws \RuntimeException if it cannot read all of them, or there are more than `$most` services or domains.
 */
function lists(int $client, array $gone = [], int $most = PHP_INT_MAX): array
{
    $of = ['clientid' => $client];
    $services = rows('GetClientsProducts', $of, 'products', 'product', $most);
    $domains = rows('GetClientsDomains', $of, 'domains', 'domain', $most);
    return ['services' => ids($services, $gone['service'] ?? 0), 'domains' => ids($domains, $gone['domain'] ?? 0)];
}

function ids(\Generator $rows, int $gone): array
{
    $ids = array_map('intval', array_column(iterator_to_array($rows, false), 'id'));
    return array_values(array_diff($ids, [$gone]));
}

/**
 * The changes from the lists of the account to `$lists`, as bodies of `PATCH /admin/v1/users/{user_id}` with at most PART ids.
 * Ids are removed before others are added.
 */
function changes(array $account, array $lists): \Generator
{
    if (!is_array($account['services'] ?? null) || !is_array($account['domains'] ?? null)) {
        throw new \RuntimeException('Signet did not answer with an account');
    }
    $steps = [];
    foreach (['remove' => [$account, $lists], 'add' => [$lists, $account]] as $verb => list($from, $to)) {
        foreach (['services', 'domains'] as $list) {
            foreach (array_diff($from[$list], $to[$list]) as $id) {
                $steps[] = ["{$verb}_{$list}", $id];
            }
        }
    }
    foreach (array_chunk($steps, PART) as $part) {
        $change = [];
        foreach ($part as list($field, $id)) {
            $change[$field][] = $id;
        }
        yield $change;
    }
}

/** The client that owns a service, or 0. */
function owner_of_service(int $service): int
{
    foreach (rows('GetClientsProducts', ['serviceid' => $service], 'products', 'product') as $row) {
        return (int) $row['clientid'];
    }
    return 0;
}

/** The client that owns a domain, or 0. */
function owner_of_domain(int $domain): int
{
    foreach (rows('GetClientsDomains', ['domainid' => $domain], 'domains', 'domain') as $row) {
        return (int) $row['userid'];
    }
    return 0;
}

/** The clients whose deletion failed and was not repeated since. */
function failed_deletions(): array
{
    $newest = []; // for each client: the id of the newest entry, and whether it is a failure
    foreach (rows('GetActivityLog', ['description' => 'Signet: ' . DELETION], 'activity', 'entry') as $row) {
        $pattern = '/^Signet: ' . DELETION . ' (\d+) (failed|repeated)/';
        if (preg_match($pattern, (string) $row['description'], $found) && $row['id'] > ($newest[$found[1]][0] ?? 0)) {
            $newest[$found[1]] = [(int) $row['id'], $found[2] === 'failed'];
        }
    }
    return array_keys(array_filter($newest, function ($entry) {
        return $entry[1];
    }));
}

// ---- Events -----------------------------------------------------------------------------------------------------------------

/** Adds a hook for an event. It logs all failures. */
function on(string $event, callable $act): void
{
    add_hook($event, 1, function ($vars = []) use ($event, $act) {
        try {
            Accounts::startEvent();
            $act(is_array($vars) ? $vars : []);
        } catch (\Throwable $failure) {
            note("{$event} was not passed on: {$failure->getMessage()}");
        }
    });
}

call_user_func(function () {
    $accounts = new Accounts();
    $owners = []; // the owners of services before an edit, by service

    on('ClientAdd', function ($vars) use ($accounts) {
        $accounts->put((int) ($vars['client_id'] ?? $vars['userid'])); // `userid` before WHMCS 8
    });
    on('ClientEdit', function ($vars) use ($accounts) {
        $accounts->put((int) $vars['userid'], $vars);
    });
    on('ClientClose', function ($vars) use ($accounts) {
        $accounts->put((int) $vars['userid'], ['status' => 'Closed']);
    });
    foreach (['PreDeleteClient', 'ClientDelete'] as $event) { // `ClientDelete` before WHMCS 8
        on($event, function ($vars) use ($accounts) {
            $accounts->delete((int) $vars['userid']);
        });
    }
    on('AfterClientMerge', function ($vars) use ($accounts) {
        $accounts->delete((int) $vars['fromUserID']);
        $accounts->put((int) $vars['toUserID']);
    });

    on('AfterShoppingCartCheckout', function ($vars) use ($accounts) {
        if (!empty($vars['ServiceIDs'])) {
            $accounts->put(owner_of_service((int) reset($vars['ServiceIDs'])));
        } elseif (!empty($vars['DomainIDs'])) {
            $accounts->put(owner_of_domain((int) reset($vars['DomainIDs'])));
        }
    });
    on('PreServiceEdit', function ($vars) use (&$owners) {
        $owners[(int) $vars['serviceid']] = owner_of_service((int) $vars['serviceid']);
    });
    on('ServiceEdit', function ($vars) use ($accounts, &$owners) {
        $client = (int) $vars['userid'];
        $accounts->put($client);
        $before = $owners[(int) $vars['serviceid']] ?? $client;
        if ($before !== $client) { // the service was moved to another client
            $accounts->put($before);
        }
    });
    on('ServiceDelete', function ($vars) use ($accounts) {
        $accounts->put((int) $vars['userid'], [], ['service' => (int) $vars['serviceid']]);
    });
    on('DomainEdit', function ($vars) use ($accounts) {
        $accounts->put((int) $vars['userid']);
    });
    on('DomainDelete', function ($vars) use ($accounts) {
        $accounts->put((int) $vars['userid'], [], ['domain' => (int) $vars['domainid']]);
    });
    foreach (['AfterModuleCreate', 'AfterRegistrarRegistration', 'AfterRegistrarTransfer'] as $event) {
        on($event, function ($vars) use ($accounts) {
            $accounts->put((int) $vars['params']['userid']);
        });
    }

    on('DailyCronJob', [$accounts, 'repeatDeletions']);
    on('DailyCronJob', [$accounts, 'putAll']);
});
