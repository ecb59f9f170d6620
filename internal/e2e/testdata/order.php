<?php
// A shop's order: order.php?id=7 writes it, without an id the newest is read. What a server refuses, or does not answer, is tried
// again on another one for as long as the visitor would wait. An order has a number, so to write it twice is to write it once.
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);

function order(string $server): string
{
    $db = mysqli_init();
    $db->options(MYSQLI_OPT_CONNECT_TIMEOUT, 1);
    $db->options(MYSQLI_OPT_READ_TIMEOUT, 5);
    $db->real_connect($server, 'shop', 'shop-password', 'shop');
    if (!isset($_GET['id'])) {
        return 'newest ' . $db->query('SELECT max(id) FROM orders')->fetch_row()[0];
    }
    $db->execute_query('INSERT INTO orders (id) VALUES (?) ON DUPLICATE KEY UPDATE id = id', [(int)$_GET['id']]);
    return 'written ' . (int)$_GET['id'];
}

$name = isset($_GET['id']) ? 'mysql-writer.service.consul' : 'mysql-reader.service.consul';
for ($end = microtime(true) + 3; ; usleep(200000)) {
    $failure = new Exception("nobody is $name");
    foreach (gethostbynamel($name) ?: [] as $server) {
        try {
            exit(order($server));
        } catch (mysqli_sql_exception $failure) {
        }
    }
    if (microtime(true) > $end) {
        http_response_code(503);
        exit($failure->getMessage());
    }
}
