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
 * On every event about a client, its status is sent first, and then what changed in its services and domains, as WHMCS's local
 * API lists them. What does not arrive is in the activity log, and the daily cron job sends everybody again. Nothing that goes
 * wrong here reaches WHMCS.
 */

namespace Signet;

if (!defined('WHMCS')) {
    die('This file cannot be accessed directly');
}

/** The file with Signet's address and the administration token. */
const CONFIG = __DIR__ . '/_signet_config.php';
/** How many entries are asked of WHMCS, and how many clients are sent to Signet, at once. */
const PAGE = 100;
/** How many services and domains are sent at once. Each new service costs Signet a write to KV. */
const PART = 500;
/** How long WHMCS waits for Signet, in seconds: for the connection, for an event in all, for a request of the daily cron job. */
const CONNECT_SECONDS = 2;
const EVENT_SECONDS = 5;
const JOB_SECONDS = 60;
/** How much of an answer is read, in bytes. The largest account has 1.7 million. */
const ANSWER_BYTES_MAX = 2097152;
/** How much of a text goes to the activity log, in bytes. */
const NOTE_BYTES_MAX = 300;
/** How the activity log tells of deletions. The daily cron job finds by it what it has to repeat. */
const DELETION = 'deletion of client';

// ---- Signet -----------------------------------------------------------------------------------------------------------------

/** Signet's administration, over HTTP. */
final class Administration
{
    private $address;
    private $token;
    private $curl;

    /** @throws \RuntimeException when the configuration is missing or invalid. It is never quoted. */
    public function __construct()
    {
        ob_start(); // a file that does not begin with <?php would be printed
        try {
            $config = is_file(CONFIG) ? include CONFIG : null;
        } catch (\Throwable $unsound) {
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
     * @throws \RuntimeException when the answer's status is none of those expected, or none comes in time.
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
        curl_reset($this->curl); // it keeps its connections
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
                return strlen($answer) > ANSWER_BYTES_MAX ? 0 : strlen($chunk); // 0 ends it
            },
        ]);
        if (!curl_exec($this->curl)) {
            throw new Unreachable($this->withoutToken('Signet cannot be reached: ' . curl_error($this->curl)));
        }
        return [curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE), $answer];
    }

    /** A text that others made, for the log. */
    public function withoutToken(string $text): string
    {
        return str_replace($this->token, '(token)', $text);
    }
}

/** Signet gave no answer. */
final class Unreachable extends \RuntimeException
{
}

/** Signet's accounts. */
final class Accounts
{
    private $administration;
    /** Whether Signet was out of reach. Then no event waits for it again in this run of PHP. */
    private $isOutOfReach = false;
    /** How many seconds the event may still wait for Signet; null in the daily cron job. */
    private static $secondsLeft;
    /** The clients that are being deleted in this run of PHP, as keys. */
    private $deleted = [];
    /** How many clients Signet refused in this daily cron job. */
    private $refused = 0;

    /** An event begins. */
    public static function startEvent(): void
    {
        self::$secondsLeft = EVENT_SECONDS;
    }

    /** The daily cron job begins. It tries Signet again. */
    private function startJob(): void
    {
        self::$secondsLeft = null;
        $this->isOutOfReach = false;
    }

    /** Sends a request, and returns the status and what the body of the answer says. */
    private function send(string $method, string $path, array $expected, array $body = []): array
    {
        if ($this->isOutOfReach) {
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
            $this->isOutOfReach = true;
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
     * Makes the account what the client is, and returns whether it is that now. `$event` has what an event says of the client,
     * `$gone` the service or domain that is being deleted. What needs no list goes first: a client is closed even if its lists
     * cannot be read. A failure is noted; the daily cron job sends everybody.
     */
    public function put(int $client, array $event = [], array $gone = []): bool
    {
        if (isset($this->deleted[$client])) {
            return false;
        }
        $account = null;
        try {
            $said = state($event);
            if ($said) { // before anything else is read
                $account = $this->patch($client, $said);
            }
            $details = details($client);
            if ($details === null) {
                throw new \RuntimeException('WHMCS has no such client');
            }
            $state = state($event, $details);
            if ($state && $state !== $said) {
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

    /** Changes an account and returns it; null if there is none. */
    private function patch(int $client, array $change): ?array
    {
        list($status, $account) = $this->send('PATCH', "users/{$client}", [200, 404], $change);
        return $status === 200 ? (array) $account : null;
    }

    /** Creates an account that owns nothing yet, and returns it. */
    private function create(int $client, array $state): array
    {
        return (array) $this->send('PUT', "users/{$client}", [200, 201], $state)[1];
    }

    /** Deletes the account. A failure is noted for the daily cron job. */
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

    /** Deletes the accounts whose deletion failed, if WHMCS has no such client any more. */
    public function repeatDeletions(): void
    {
        $this->startJob();
        foreach (failed_deletions() as $client) {
            if (details($client) === null) {
                $this->delete($client, true);
            }
        }
    }

    /** Sends every client: a page at a time, and alone those who have long lists or cannot be read whole. */
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
                $sent += (int) $this->put($client); // it notes what goes wrong
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
     * Sends a page of clients, as lines by their ids. Where Signet stopped, because Cloudflare lets a request do only so
     * much, the rest is sent next; what failed as a whole is sent once more.
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

    /** Sends these lines, and returns those that are left to send. */
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
        // There is nowhere else to tell it.
    }
}

/**
 * The entries that WHMCS's local API lists under `$list` and `$entry`, read in pages.
 *
 * @throws \RuntimeException when they cannot be read to the end, or are more than `$most`: nobody loses a service by a list that
 * was read in part.
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

/** The entries of an answer. WHMCS nests them; its reference shows those of GetClientsDomains under flat names. */
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

/** What WHMCS knows of a client; null if there is no such client. */
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
 * What Signet shall know of a client besides what it owns: the status, and that single sign-on is off if WHMCS forbids it. What
 * an event says counts before what WHMCS has saved. Single sign-on that WHMCS allows is left out, and so stays what the user
 * chose at Signet. A status that Signet does not know is left out, too.
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

/** @throws \RuntimeException when a client's state has no status. */
function check_status(array $state): void
{
    if (!isset($state['status'])) {
        throw new \RuntimeException('the status of the client is unknown to Signet');
    }
}

/**
 * The ids of the services and domains of a client, whatever their status, except one that is being deleted.
 *
 * @throws \RuntimeException when they cannot be read to the end, or are more than `$most` of a kind.
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
 * The changes that make an account own what `$lists` say, as bodies of `PATCH /admin/v1/users/{user_id}` of at most PART ids
 * each. What goes is removed before anything is added.
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

/** Who owns a service; 0 for nobody. */
function owner_of_service(int $service): int
{
    foreach (rows('GetClientsProducts', ['serviceid' => $service], 'products', 'product') as $row) {
        return (int) $row['clientid'];
    }
    return 0;
}

/** Who owns a domain; 0 for nobody. */
function owner_of_domain(int $domain): int
{
    foreach (rows('GetClientsDomains', ['domainid' => $domain], 'domains', 'domain') as $row) {
        return (int) $row['userid'];
    }
    return 0;
}

/** The clients whose deletion failed, and was not repeated since. */
function failed_deletions(): array
{
    $newest = []; // of each client: the number of the entry, and whether it is a failure
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

/** Does something on an event. Whatever goes wrong is noted and stays here. */
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
    $owners = []; // of services that are being edited

    on('ClientAdd', function ($vars) use ($accounts) {
        $accounts->put((int) ($vars['client_id'] ?? $vars['userid'])); // the latter before WHMCS 8
    });
    on('ClientEdit', function ($vars) use ($accounts) {
        $accounts->put((int) $vars['userid'], $vars);
    });
    on('ClientClose', function ($vars) use ($accounts) {
        $accounts->put((int) $vars['userid'], ['status' => 'Closed']);
    });
    foreach (['PreDeleteClient', 'ClientDelete'] as $event) { // the latter before WHMCS 8
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
        if ($before !== $client) { // it was moved
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
