<?php echo "Hello from ", gethostname(), "\n";
