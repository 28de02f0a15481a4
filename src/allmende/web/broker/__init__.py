"""The embedded MQTT 3.1.1 broker: an acknowledged message is a committed one (docs/decisions/0003).

Packets are read and written by amqtt's codec; what happens between them is ours, because amqtt acknowledges before
anybody has seen the message, lets a client take over another one's session, and sends without order or bound.
"""
