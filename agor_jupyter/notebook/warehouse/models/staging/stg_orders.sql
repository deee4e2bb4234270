-- Orders with real types. One row for each order of the shop.
select
    try_cast(order_id as integer) as order_id,
    cast(customer_id as integer) as customer_id,
    cast(ordered_at as date) as ordered_on,
    cast(amount_cents as integer) / 100.0 as amount,
    status
from raw_orders
