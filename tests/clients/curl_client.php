<?php
// Calls Signet as WHMCS's documentation does, and prints status and answer as JSON. With an array for its fields, curl sends
// multipart/form-data in place of a urlencoded form.

$order = json_decode(stream_get_contents(STDIN), true);
$fields = [
    'identifier' => $order['identifier'],
    'secret' => $order['secret'],
    'action' => $order['action'],
    'responsetype' => 'json',
];
foreach ($order['params'] as $name => $value) {
    if (is_array($value) && $order['as_array']) { // curl takes no array within an array
        foreach ($value as $index => $entry) {
            $fields["{$name}[{$index}]"] = $entry;
        }
    } else {
        $fields[$name] = $value;
    }
}

$ch = curl_init();
curl_setopt($ch, CURLOPT_URL, $order['url']);
curl_setopt($ch, CURLOPT_POST, 1);
curl_setopt($ch, CURLOPT_POSTFIELDS, $order['as_array'] ? $fields : http_build_query($fields));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, 1);
$response = curl_exec($ch);
echo json_encode([
    'status' => curl_getinfo($ch, CURLINFO_HTTP_CODE),
    'answer' => json_decode($response, true),
]);
