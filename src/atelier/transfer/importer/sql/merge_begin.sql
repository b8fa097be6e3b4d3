-- The triggers of the change feed record no event for each row of this transaction.
SELECT set_config('atelier.change', 'imported', true)
