"""The powers a stage can be given, one noun each: protocols and the values they speak in. No port, no power."""
