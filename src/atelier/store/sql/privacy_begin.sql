-- The change feed names the changes of this transaction so.
SELECT set_config('atelier.change', 'erased', true)
