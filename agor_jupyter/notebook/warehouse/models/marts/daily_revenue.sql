-- Revenue for each day, without what was returned.
select
    ordered_on,
    count(*) as orders,
    sum(amount) as revenue
from stg_orders
where status <> 'returned'
group by ordered_on
