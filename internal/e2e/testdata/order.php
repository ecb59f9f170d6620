<?php
// A shop's order: order.php?id=7 writes it, without an id the newest is read.
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
try {
    $name = isset($_GET['id']) ? 'mysql-writer' : 'mysql-reader';
    $db = mysqli_init();
    $db->options(MYSQLI_OPT_CONNECT_TIMEOUT, 1);
    $db->options(MYSQLI_OPT_READ_TIMEOUT, 5);
    $db->real_connect("$name.service.consul", 'shop', 'shop-password', 'shop');
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
