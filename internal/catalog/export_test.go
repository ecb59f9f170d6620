package catalog

// Waiting returns how many registrations wait for the next transaction.
func (c *Client) Waiting() int {
	c.batch.mu.Lock()
	defer c.batch.mu.Unlock()

	return len(c.batch.waiting)
}
