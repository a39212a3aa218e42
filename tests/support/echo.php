<?php
// What reaches a client area that is written in PHP.
header('Content-Type: application/json');
echo json_encode(['server' => $_SERVER, 'cookies' => $_COOKIE], JSON_INVALID_UTF8_SUBSTITUTE | JSON_FORCE_OBJECT);
