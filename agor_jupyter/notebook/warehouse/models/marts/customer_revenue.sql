-- What each customer bought and kept.
select
    customers.customer_id,
    customers.name,
    customers.country,
    count(orders.order_id) as orders,
    coalesce(sum(orders.amount), 0) as revenue
from stg_customers as customers
left join stg_orders as orders
    on orders.customer_id = customers.customer_id and orders.status <> 'returned'
group by all
