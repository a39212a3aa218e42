<?php
// Stands in for WHMCS around the hook: its functions behave as https://developers.whmcs.com documents them. Reads an order with
// the hook's file, what WHMCS knows, and the events to fire; prints what happened.

define('WHMCS', true);

$order = json_decode(stream_get_contents(STDIN), true);
$state = $order['state'];
$hooks = [];
$result = ['log' => [], 'calls' => [], 'complaints' => []];

set_error_handler(function ($level, $message, $file, $line) use (&$result) {
    $result['complaints'][] = "{$message} in line {$line}";
});

function add_hook(string $event, int $priority, callable $function): void
{
    $GLOBALS['hooks'][$event][] = $function;
}

function logActivity(string $message, int $clientId = 0): void
{
    $GLOBALS['result']['log'][] = ['description' => $message, 'clientId' => $clientId];
}

/** WHMCS takes parameters that it does not know; here they are a mistake. */
const PARAMETERS = [
    'GetClients' => ['limitstart', 'limitnum', 'sorting', 'status', 'search', 'orderby'],
    'GetClientsDetails' => ['clientid', 'email', 'stats'],
    'GetClientsProducts' => ['limitstart', 'limitnum', 'clientid', 'serviceid', 'pid', 'domain', 'username2'],
    'GetClientsDomains' => ['limitstart', 'limitnum', 'clientid', 'domainid', 'domain'],
    'GetActivityLog' => ['limitstart', 'limitnum', 'clientid', 'date', 'user', 'description', 'ipaddress'],
];

function localAPI(string $command, array $values = [], string $adminUsername = ''): array
{
    global $state, $order, $result;
    $result['calls'][] = [$command, $values];
    $unknown = array_diff(array_keys($values), PARAMETERS[$command]);
    if ($unknown) {
        $result['complaints'][] = "{$command} has no parameter " . implode(', ', $unknown);
    }
    $only = $state['failingFor'] ?? null; // the clients whose calls fail; null for all
    if (isset($order['failing'][$command]) && ($only === null || in_array($values['clientid'] ?? 0, $only, true))) {
        return ['result' => 'error', 'message' => $order['failing'][$command]];
    }
    $of = function ($field, $parameter) use ($values) {
        return function ($row) use ($field, $parameter, $values) {
            return !isset($values[$parameter]) || $row[$field] === (int) $values[$parameter];
        };
    };
    switch ($command) {
        case 'GetClients':
            $rows = $state['clients'];
            array_multisort(array_column($rows, $values['orderby'] ?? 'lastname'), $rows);
            return page($rows, $values, 'clients', 'client');
        case 'GetClientsDetails':
            foreach ($state['clients'] as $client) {
                if ($client['id'] === (int) $values['clientid']) {
                    return ['result' => 'success', 'client' => $client + ['client_id' => $client['id']]];
                }
            }
            return ['result' => 'error', 'message' => 'Client Not Found'];
        case 'GetClientsProducts':
            $rows = array_filter($state['services'], $of('clientid', 'clientid'));
            $answer = page(array_filter($rows, $of('id', 'serviceid')), $values, 'products', 'product');
            return $order['shortened'] === $command && $values['limitstart'] > 0 ? ['products' => ''] + $answer : $answer;
        case 'GetClientsDomains':
            $rows = array_filter($state['domains'], $of('userid', 'clientid'));
            $answer = page(array_filter($rows, $of('id', 'domainid')), $values, 'domains', 'domain');
            return ($order['flat'] ?? false) ? flat($answer) : $answer;
        case 'GetActivityLog':
            $rows = array_filter(array_reverse($state['log']), function ($row) use ($values) {
                return strpos($row['description'], $values['description']) !== false;
            });
            return page($rows, $values, 'activity', 'entry');
    }
}

/** A page of rows. As in the reference's examples, numbers may be strings. */
function page(array $rows, array $values, string $list, string $entry): array
{
    $start = $values['limitstart'] ?? 0;
    $rows = array_map(function ($row) {
        return array_map('strval', $row);
    }, array_values($rows));
    return [
        'result' => 'success',
        'totalresults' => (string) count($rows),
        'startnumber' => $start,
        $list => count($rows) === 0 ? '' : [$entry => array_slice($rows, $start, $values['limitnum'] ?? 25)],
    ];
}

/** The domains as the reference prints them. */
function flat(array $answer): array
{
    foreach ($answer['domains']['domain'] ?? [] as $index => $row) {
        foreach ($row as $name => $value) {
            $answer["domains[domain][{$index}][{$name}]"] = $value;
        }
    }
    unset($answer['domains']);
    return $answer;
}

ob_start();
require $order['hook'];
foreach ($order['events'] as list($event, $vars)) {
    if ($event === 'change') { // what WHMCS itself does between two events
        $state = $vars + $state;
        continue;
    }
    foreach ($hooks[$event] as $hook) {
        $returned = $hook($vars);
        if ($returned !== null) {
            $result['complaints'][] = "{$event} was told something";
        }
    }
}
$result['events'] = array_keys($hooks);
$result['output'] = ob_get_clean();
echo json_encode($result);
