"""What a stage can reach outside, one noun each: protocols, and the values they exchange.

Every room above `products` may import it. An adapter implements each protocol; a stage without a port cannot reach
what is behind it. Begin with `services`, the list of all ports, and `world`, the addresses behind them.
"""
