package testbed

import "context"

func Image(ctx context.Context) (string, error) { return "", nil }
