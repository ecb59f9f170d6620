<?php
// A shop's order: order.php?id=7 writes it, without an id the newest is read.
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
try {
    $name = isset($_GET['id']) ? 'mysql-writer' : 'mysql-reader';
    $servers = gethostbynamel("$name.service.consul") ?: throw new Exception("nobody is $name");
    foreach ($servers as $number => $server) { // the next one, if one that has just died is still in DNS
        $db = mysqli_init();
        $db->options(MYSQLI_OPT_CONNECT_TIMEOUT, 1);
        $db->options(MYSQLI_OPT_READ_TIMEOUT, 5);
        try {
            $db->real_connect($server, 'shop', 'shop-password', 'shop');
            break;
        } catch (mysqli_sql_exception $failure) {
            if ($number + 1 == count($servers)) throw $failure;
        }
    }
    if (isset($_GET['id'])) {
        $db->execute_query('INSERT INTO orders (id) VALUES (?)', [(int)$_GET['id']]);
        echo 'written ', (int)$_GET['id'];
    } else {
        echo 'newest ', $db->query('SELECT max(id) FROM orders')->fetch_row()[0];
    }
} catch (Throwable $failure) {
    http_response_code(503);
    echo $failure->getMessage();
}
