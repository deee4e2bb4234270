-- Customers with real types.
select
    cast(customer_id as integer) as customer_id,
    name,
    country
from raw_customers
