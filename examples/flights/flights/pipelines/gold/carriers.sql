-- /// asset
-- layer = "gold"
-- group = "punctuality"
-- owners = ["operations@flights.example"]
-- columns = { late_percent = "of those that arrived, 15 minutes late or more", cancelled_percent = "of all that were to leave" }
-- ///
-- How punctual each airline was over the year.
select
    carrier,
    airline,
    sum(flights)::bigint as flights,
    round(100.0 * sum(late) / sum(arrived), 2) as late_percent,
    round(100.0 * sum(cancelled) / sum(flights), 2) as cancelled_percent,
    round(sum(arr_delay_min) / sum(arrived), 2) as mean_arr_delay_min
from gold.carrier_days
group by all
order by late_percent desc, carrier
