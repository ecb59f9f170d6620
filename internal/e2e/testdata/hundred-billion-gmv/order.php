<?php
// An order of a shop: its number is counted in Redis and written to MySQL.
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
try {
    $members = gethostbynamel('redis.service.consul') ?: throw new Exception('nobody is redis');
    $redis = new RedisCluster(null, array_map(fn($address) => "$address:6379", $members), 1, 2, false, 'the-redis-password');
    $number = $redis->incr('orders');
    $writers = gethostbynamel('mysql-1-writer.service.consul') ?: throw new Exception('nobody is the writer');
    $db = mysqli_init();
    $db->options(MYSQLI_OPT_CONNECT_TIMEOUT, 1);
    $db->real_connect($writers[0], 'shop', 'shop-password', 'shop');
    $db->query('CREATE TABLE IF NOT EXISTS orders (id INT PRIMARY KEY)');
    $db->execute_query('INSERT INTO orders (id) VALUES (?)', [$number]);
    echo "order $number";
} catch (Throwable $failure) {
    http_response_code(503);
    echo $failure->getMessage();
}
